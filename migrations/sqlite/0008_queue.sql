-- Messages between functions: the record that Redis and HTTP only hint at.

-- A message from one function to another, and the lease of who works on it.
create table outbox (
    -- The event, UUIDv7; the same at every redelivery.
    event_id text not null primary key,
    -- The function that reads it.
    stream text not null,
    -- The name of the fact.
    kind text not null,
    -- The message with its version.
    body text not null,
    -- W3C traceparent of the sender.
    trace text,
    -- Higher goes first within a stream.
    priority integer not null default 0,
    -- When it was written, with the effect that caused it, or revived by a person.
    created_at integer not null,
    -- Not before; moved on by a retry.
    due_at integer not null,
    -- When a relay last announced it; null when it has to.
    sent_at integer,
    -- Starts, counted before each.
    attempts integer not null default 0,
    -- Starts that ended without a verdict: panic, time-out, death of the worker.
    strikes integer not null default 0,
    -- Who works on it; null while nobody does.
    lease_owner text,
    -- When somebody else may take it.
    lease_until integer,
    -- Rises with each claim; a late owner has an older one.
    lease_epoch integer not null default 0,
    -- Why the last attempt failed.
    last_error text,
    -- When nothing is left to do; null before.
    finished_at integer,
    -- How it ended; null before.
    outcome text check (outcome in ('done', 'stale', 'dead'))
);

create index outbox_waiting on outbox (stream, priority desc, event_id) where finished_at is null;

create index outbox_unsent on outbox (event_id) where sent_at is null and finished_at is null;

create index outbox_finished on outbox (finished_at) where finished_at is not null;

-- Events that had their effect: a second delivery finds its row.
create table inbox (
    -- The function.
    handler text not null,
    -- The event, as its sender names it.
    event_id text not null,
    -- When the effect was committed.
    handled_at integer not null,
    primary key (handler, event_id)
);

create index inbox_by_age on inbox (handled_at);

-- Events that were given up: visible, and retried by a person.
create table dead_letters (
    -- The entry, UUIDv7.
    dead_letter_id text not null primary key,
    -- The function that gave up.
    handler text not null,
    -- The event; a row of the outbox, or the id that a door was given.
    event_id text not null,
    -- The name of the fact or the door.
    kind text not null,
    -- The event as it came; need not be JSON.
    body text not null,
    -- The whole chain of causes.
    error text not null,
    -- Starts before it was given up.
    attempts integer not null,
    -- When it was given up.
    created_at integer not null,
    -- When whoever waited for it was told; null before.
    told_at integer,
    unique (handler, event_id)
);
