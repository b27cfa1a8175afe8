-- How questions go to a paid provider: how fast, whether at all, what is held back, what was looked for.

create table lanes (
    lane text not null primary key,
    next_at bigint not null default 0,
    turn_at bigint not null default 0,
    pause_reason text check (pause_reason in ('no_credit', 'low_credit', 'refused', 'budget')),
    paused_until timestamptz,
    probe_until timestamptz,
    resumed_at timestamptz
);
comment on table lanes is 'The way to one provider, shared by all processes.';
comment on column lanes.lane is 'The provider.';
comment on column lanes.next_at is 'When the bucket is full again, in microseconds since 1970: a number, for both engines to reckon with.';
comment on column lanes.turn_at is 'The turn that the last question got which found the bucket empty, in microseconds since 1970.';
comment on column lanes.pause_reason is 'Why it rests, or why it last did.';
comment on column lanes.paused_until is 'Until when nothing is put; then one question tries the way. Null while the way is open.';
comment on column lanes.probe_until is 'Until when the question that tries the way is waited for.';
comment on column lanes.resumed_at is 'When the last rest ended; null before the first.';

create table held (
    prediction_id uuid not null primary key references predictions (prediction_id),
    reason text not null check (reason in ('lane', 'video_cap')),
    estimate_usd double precision not null,
    held_at timestamptz not null
);
comment on table held is 'Questions that nobody is told to put, until the way is open or a cap is raised.';
comment on column held.prediction_id is 'The question.';
comment on column held.reason is 'What holds it back.';
comment on column held.estimate_usd is 'What it is expected to cost.';
comment on column held.held_at is 'Since when.';

create index held_by_reason on held (reason, held_at);

alter table predictions add column polled_at timestamptz;
comment on column predictions.polled_at is 'When the provider was last asked how it stands; null before the first time.';
