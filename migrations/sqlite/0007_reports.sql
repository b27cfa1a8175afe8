-- What the policy makes of the evidence, and who decides.

-- A risk derived from detections by a rule of the policy.
create table triggers (
    -- The risk, UUIDv7.
    trigger_id text not null primary key,
    -- The run whose evidence was judged.
    execution_id text not null references executions (execution_id),
    -- The video.
    video_id text not null references videos (video_id),
    -- Rule of the policy pack.
    rule text not null,
    -- Category of the risk.
    category text not null,
    -- Code of the risk definition.
    risk_code text not null,
    -- What noticed it.
    source text not null,
    -- Milliseconds of the video, inclusive.
    start_ms integer not null,
    -- Milliseconds of the video, exclusive.
    end_ms integer not null,
    -- 0 to 1.
    confidence real not null,
    -- The whole risk with its evidence, as in the report.
    body text not null,
    -- Whether a person has decided.
    status text not null default 'pending' check (status in ('pending', 'processed')),
    -- When it was derived.
    created_at integer not null
);

create index triggers_by_execution on triggers (execution_id, start_ms);

-- A video that waits for an operator.
create table verification_tasks (
    -- The task, UUIDv7.
    task_id text not null primary key,
    -- What is to be decided.
    video_id text not null references videos (video_id),
    -- Who took it; null while nobody has.
    operator_id text references users (user_id),
    -- Where it stands.
    status text not null check (status in ('pending', 'in_progress', 'completed')),
    -- Higher goes first, then the oldest.
    priority integer not null default 0,
    -- End of the operator's lock; null without one.
    locked_until integer,
    -- By when it should be decided.
    due_at integer not null,
    -- What the operator concluded.
    decision_summary text,
    -- When it was opened.
    created_at integer not null,
    -- When it was finished; null before.
    completed_at integer
);

create unique index verification_tasks_open on verification_tasks (video_id) where status <> 'completed';

-- A written report; one per run and stage.
create table reports (
    -- The report, UUIDv7.
    report_id text not null primary key,
    -- The video.
    video_id text not null references videos (video_id),
    -- The run it tells of.
    execution_id text not null references executions (execution_id),
    -- Before or after the human decisions.
    stage text not null check (stage in ('ai', 'final')),
    -- Policy pack that judged.
    policy_id text not null,
    -- Its version.
    policy_version text not null,
    -- The result in one word.
    verdict text not null check (verdict in ('pass', 'review', 'fail')),
    -- The report for reading; the sealed bytes are the stored file.
    body text not null,
    -- Stored JSON file.
    json_key text not null,
    -- Stored HTML file.
    html_key text not null,
    -- Hash over the stored JSON file.
    seal text not null,
    -- When it was written.
    created_at integer not null,
    unique (execution_id, stage)
);

create index reports_by_video on reports (video_id, created_at);
