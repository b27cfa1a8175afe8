-- Messages between functions: the record that Redis and HTTP only hint at.

create table outbox (
    event_id uuid not null primary key,
    stream text not null,
    kind text not null,
    body jsonb not null,
    trace text,
    priority bigint not null default 0,
    created_at timestamptz not null,
    due_at timestamptz not null,
    sent_at timestamptz,
    attempts bigint not null default 0,
    strikes bigint not null default 0,
    lease_owner text,
    lease_until timestamptz,
    lease_epoch bigint not null default 0,
    last_error text,
    finished_at timestamptz,
    outcome text check (outcome in ('done', 'stale', 'dead'))
);
comment on table outbox is 'A message from one function to another, and the lease of who works on it.';
comment on column outbox.event_id is 'The event, UUIDv7; the same at every redelivery.';
comment on column outbox.stream is 'The function that reads it.';
comment on column outbox.kind is 'The name of the fact.';
comment on column outbox.body is 'The message with its version.';
comment on column outbox.trace is 'W3C traceparent of the sender.';
comment on column outbox.priority is 'Higher goes first within a stream.';
comment on column outbox.created_at is 'When it was written, with the effect that caused it, or revived by a person.';
comment on column outbox.due_at is 'Not before; moved on by a retry.';
comment on column outbox.sent_at is 'When a relay last announced it; null when it has to.';
comment on column outbox.attempts is 'Starts, counted before each.';
comment on column outbox.strikes is 'Starts that ended without a verdict: panic, time-out, death of the worker.';
comment on column outbox.lease_owner is 'Who works on it; null while nobody does.';
comment on column outbox.lease_until is 'When somebody else may take it.';
comment on column outbox.lease_epoch is 'Rises with each claim; a late owner has an older one.';
comment on column outbox.last_error is 'Why the last attempt failed.';
comment on column outbox.finished_at is 'When nothing is left to do; null before.';
comment on column outbox.outcome is 'How it ended; null before.';

create index outbox_waiting on outbox (stream, priority desc, event_id) where finished_at is null;

create index outbox_unsent on outbox (event_id) where sent_at is null and finished_at is null;

create index outbox_finished on outbox (finished_at) where finished_at is not null;

create table inbox (
    handler text not null,
    event_id text not null,
    handled_at timestamptz not null,
    primary key (handler, event_id)
);
comment on table inbox is 'Events that had their effect: a second delivery finds its row.';
comment on column inbox.handler is 'The function.';
comment on column inbox.event_id is 'The event, as its sender names it.';
comment on column inbox.handled_at is 'When the effect was committed.';

create index inbox_by_age on inbox (handled_at);

create table dead_letters (
    dead_letter_id uuid not null primary key,
    handler text not null,
    event_id text not null,
    kind text not null,
    body text not null,
    error text not null,
    attempts bigint not null,
    created_at timestamptz not null,
    told_at timestamptz,
    unique (handler, event_id)
);
comment on table dead_letters is 'Events that were given up: visible, and retried by a person.';
comment on column dead_letters.dead_letter_id is 'The entry, UUIDv7.';
comment on column dead_letters.handler is 'The function that gave up.';
comment on column dead_letters.event_id is 'The event; a row of the outbox, or the id that a door was given.';
comment on column dead_letters.kind is 'The name of the fact or the door.';
comment on column dead_letters.body is 'The event as it came; need not be JSON.';
comment on column dead_letters.error is 'The whole chain of causes.';
comment on column dead_letters.attempts is 'Starts before it was given up.';
comment on column dead_letters.created_at is 'When it was given up.';
comment on column dead_letters.told_at is 'When whoever waited for it was told; null before.';
