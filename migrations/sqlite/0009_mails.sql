-- Mails, so that each goes out once.

-- The intent and the fate of one mail.
create table mails (
    -- The event that caused it.
    event_id text not null,
    -- To whom.
    address text not null,
    -- Which template.
    kind text not null,
    -- Message-ID; the same at every attempt.
    message_id text not null,
    -- sending also means: perhaps sent, the answer was lost.
    state text not null check (state in ('sending', 'sent', 'failed')),
    -- Times that sending began.
    attempts integer not null default 1,
    -- Why the last attempt failed.
    error text,
    -- When it was first intended.
    created_at integer not null,
    -- When the server accepted it; null before.
    sent_at integer,
    primary key (event_id, address)
);
