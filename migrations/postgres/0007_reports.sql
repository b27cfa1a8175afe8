-- What the policy makes of the evidence, and who decides.

create table triggers (
    trigger_id uuid not null primary key,
    execution_id uuid not null references executions (execution_id),
    video_id uuid not null references videos (video_id),
    rule text not null,
    category text not null,
    risk_code text not null,
    source text not null,
    start_ms bigint not null,
    end_ms bigint not null,
    confidence double precision not null,
    body jsonb not null,
    status text not null default 'pending' check (status in ('pending', 'processed')),
    created_at timestamptz not null
);
comment on table triggers is 'A risk derived from detections by a rule of the policy.';
comment on column triggers.trigger_id is 'The risk, UUIDv7.';
comment on column triggers.execution_id is 'The run whose evidence was judged.';
comment on column triggers.video_id is 'The video.';
comment on column triggers.rule is 'Rule of the policy pack.';
comment on column triggers.category is 'Category of the risk.';
comment on column triggers.risk_code is 'Code of the risk definition.';
comment on column triggers.source is 'What noticed it.';
comment on column triggers.start_ms is 'Milliseconds of the video, inclusive.';
comment on column triggers.end_ms is 'Milliseconds of the video, exclusive.';
comment on column triggers.confidence is '0 to 1.';
comment on column triggers.body is 'The whole risk with its evidence, as in the report.';
comment on column triggers.status is 'Whether a person has decided.';
comment on column triggers.created_at is 'When it was derived.';

create index triggers_by_execution on triggers (execution_id, start_ms);

create table verification_tasks (
    task_id uuid not null primary key,
    video_id uuid not null references videos (video_id),
    operator_id uuid references users (user_id),
    status text not null check (status in ('pending', 'in_progress', 'completed')),
    priority bigint not null default 0,
    locked_until timestamptz,
    due_at timestamptz not null,
    decision_summary text,
    created_at timestamptz not null,
    completed_at timestamptz
);
comment on table verification_tasks is 'A video that waits for an operator.';
comment on column verification_tasks.task_id is 'The task, UUIDv7.';
comment on column verification_tasks.video_id is 'What is to be decided.';
comment on column verification_tasks.operator_id is 'Who took it; null while nobody has.';
comment on column verification_tasks.status is 'Where it stands.';
comment on column verification_tasks.priority is 'Higher goes first, then the oldest.';
comment on column verification_tasks.locked_until is 'End of the operator''s lock; null without one.';
comment on column verification_tasks.due_at is 'By when it should be decided.';
comment on column verification_tasks.decision_summary is 'What the operator concluded.';
comment on column verification_tasks.created_at is 'When it was opened.';
comment on column verification_tasks.completed_at is 'When it was finished; null before.';

create unique index verification_tasks_open on verification_tasks (video_id) where status <> 'completed';

create table reports (
    report_id uuid not null primary key,
    video_id uuid not null references videos (video_id),
    execution_id uuid not null references executions (execution_id),
    stage text not null check (stage in ('ai', 'final')),
    policy_id text not null,
    policy_version text not null,
    verdict text not null check (verdict in ('pass', 'review', 'fail')),
    body jsonb not null,
    json_key text not null,
    html_key text not null,
    seal text not null,
    created_at timestamptz not null,
    unique (execution_id, stage)
);
comment on table reports is 'A written report; one per run and stage.';
comment on column reports.report_id is 'The report, UUIDv7.';
comment on column reports.video_id is 'The video.';
comment on column reports.execution_id is 'The run it tells of.';
comment on column reports.stage is 'Before or after the human decisions.';
comment on column reports.policy_id is 'Policy pack that judged.';
comment on column reports.policy_version is 'Its version.';
comment on column reports.verdict is 'The result in one word.';
comment on column reports.body is 'The report for reading; the sealed bytes are the stored file.';
comment on column reports.json_key is 'Stored JSON file.';
comment on column reports.html_key is 'Stored HTML file.';
comment on column reports.seal is 'Hash over the stored JSON file.';
comment on column reports.created_at is 'When it was written.';

create index reports_by_video on reports (video_id, created_at);
