-- Runs of the chain; a video has one live run at most.

create table executions (
    execution_id uuid not null primary key,
    video_id uuid not null references videos (video_id),
    status text not null check (status in ('pending', 'running', 'completed', 'failed')),
    current_task text not null default '',
    progress real not null default 0 check (progress >= 0 and progress <= 100),
    eta_seconds bigint,
    last_step text not null default '',
    retry_count bigint not null default 0,
    error_trace text,
    planned bigint not null default 0,
    done bigint not null default 0,
    extraction jsonb,
    models jsonb,
    api_calls_count bigint not null default 0,
    cost_estimate_usd double precision not null default 0,
    cost_actual_usd double precision not null default 0,
    created_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz
);
comment on table executions is 'One run of the chain over one video.';
comment on column executions.execution_id is 'The run, UUIDv7.';
comment on column executions.video_id is 'What is checked.';
comment on column executions.status is 'Live while pending or running.';
comment on column executions.current_task is 'What is being done, for people who wait.';
comment on column executions.progress is 'Per cent; never falls.';
comment on column executions.eta_seconds is 'Expected rest; null when unknown.';
comment on column executions.last_step is 'The last step of the video that this run reached.';
comment on column executions.retry_count is 'Earlier runs of the same video.';
comment on column executions.error_trace is 'Why it failed, for developers.';
comment on column executions.planned is 'Predictions written down for this run.';
comment on column executions.done is 'Predictions that are closed; the run goes on when equal to planned.';
comment on column executions.extraction is 'What was cut: frames, audio, sampling; null before.';
comment on column executions.models is 'Models and versions of this run; null before.';
comment on column executions.api_calls_count is 'Answers that were not from the cache.';
comment on column executions.cost_estimate_usd is 'Expected before the start.';
comment on column executions.cost_actual_usd is 'Sum over closed predictions.';
comment on column executions.created_at is 'When the run was opened.';
comment on column executions.started_at is 'When work began; null while pending.';
comment on column executions.completed_at is 'When it ended either way; null while live.';

create unique index executions_live on executions (video_id) where status in ('pending', 'running');

create index executions_by_video on executions (video_id, created_at);
