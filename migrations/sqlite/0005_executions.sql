-- Runs of the chain; a video has one live run at most.

-- One run of the chain over one video.
create table executions (
    -- The run, UUIDv7.
    execution_id text not null primary key,
    -- What is checked.
    video_id text not null references videos (video_id),
    -- Live while pending or running.
    status text not null check (status in ('pending', 'running', 'completed', 'failed')),
    -- What is being done, for people who wait.
    current_task text not null default '',
    -- Per cent; never falls.
    progress real not null default 0 check (progress >= 0 and progress <= 100),
    -- Expected rest; null when unknown.
    eta_seconds integer,
    -- The last step of the video that this run reached.
    last_step text not null default '',
    -- Earlier runs of the same video.
    retry_count integer not null default 0,
    -- Why it failed, for developers.
    error_trace text,
    -- Predictions written down for this run.
    planned integer not null default 0,
    -- Predictions that are closed; the run goes on when equal to planned.
    done integer not null default 0,
    -- What was cut: frames, audio, sampling; null before.
    extraction text,
    -- Models and versions of this run; null before.
    models text,
    -- Answers that were not from the cache.
    api_calls_count integer not null default 0,
    -- Expected before the start.
    cost_estimate_usd real not null default 0,
    -- Sum over closed predictions.
    cost_actual_usd real not null default 0,
    -- When the run was opened.
    created_at integer not null,
    -- When work began; null while pending.
    started_at integer,
    -- When it ended either way; null while live.
    completed_at integer
);

create unique index executions_live on executions (video_id) where status in ('pending', 'running');

create index executions_by_video on executions (video_id, created_at);
