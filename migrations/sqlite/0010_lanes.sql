-- How questions go to a paid provider: how fast, whether at all, what is held back, what was looked for.

-- The way to one provider, shared by all processes.
create table lanes (
    -- The provider.
    lane text not null primary key,
    -- When the bucket is full again, in microseconds since 1970: a number, for both engines to reckon with.
    next_at integer not null default 0,
    -- The turn that the last question got which found the bucket empty, in microseconds since 1970.
    turn_at integer not null default 0,
    -- Why it rests, or why it last did.
    pause_reason text check (pause_reason in ('no_credit', 'low_credit', 'refused', 'budget')),
    -- Until when nothing is put; then one question tries the way. Null while the way is open.
    paused_until integer,
    -- Until when the question that tries the way is waited for.
    probe_until integer,
    -- When the last rest ended; null before the first.
    resumed_at integer
);

-- Questions that nobody is told to put, until the way is open or a cap is raised.
create table held (
    -- The question.
    prediction_id text not null primary key references predictions (prediction_id),
    -- What holds it back.
    reason text not null check (reason in ('lane', 'video_cap')),
    -- What it is expected to cost.
    estimate_usd real not null,
    -- Since when.
    held_at integer not null
);

create index held_by_reason on held (reason, held_at);

-- When the provider was last asked how it stands; null before the first time.
alter table predictions add column polled_at integer;
