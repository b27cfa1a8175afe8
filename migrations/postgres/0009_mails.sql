-- Mails, so that each goes out once.

create table mails (
    event_id text not null,
    address text not null,
    kind text not null,
    message_id text not null,
    state text not null check (state in ('sending', 'sent', 'failed')),
    attempts bigint not null default 1,
    error text,
    created_at timestamptz not null,
    sent_at timestamptz,
    primary key (event_id, address)
);
comment on table mails is 'The intent and the fate of one mail.';
comment on column mails.event_id is 'The event that caused it.';
comment on column mails.address is 'To whom.';
comment on column mails.kind is 'Which template.';
comment on column mails.message_id is 'Message-ID; the same at every attempt.';
comment on column mails.state is 'sending also means: perhaps sent, the answer was lost.';
comment on column mails.attempts is 'Times that sending began.';
comment on column mails.error is 'Why the last attempt failed.';
comment on column mails.created_at is 'When it was first intended.';
comment on column mails.sent_at is 'When the server accepted it; null before.';
