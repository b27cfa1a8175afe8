-- What the models are shown, what they are asked and what they answered.

create table targets (
    execution_id uuid not null references executions (execution_id),
    content_hash text not null,
    media text not null check (media in ('frame', 'audio')),
    object_key text not null,
    spans jsonb not null,
    width bigint not null default 0,
    height bigint not null default 0,
    primary key (execution_id, content_hash)
);
comment on table targets is 'A frame or a stretch of sound that models are shown; equal bytes are one target.';
comment on column targets.execution_id is 'The run that cut it.';
comment on column targets.content_hash is 'SHA-256 of the bytes, lower-case hex: the key of the cache.';
comment on column targets.media is 'What kind of object.';
comment on column targets.object_key is 'Where the bytes are stored.';
comment on column targets.spans is 'The stretches of the video that it stands for, in milliseconds.';
comment on column targets.width is 'Pixels; 0 for audio.';
comment on column targets.height is 'Pixels; 0 for audio.';

create table predictions (
    prediction_id uuid not null primary key,
    execution_id uuid not null references executions (execution_id),
    video_id uuid not null references videos (video_id),
    task text not null check (task in ('speech', 'nudity', 'violence', 'objects', 'text', 'context')),
    content_hash text not null,
    object_key text not null,
    provider text not null,
    model text not null,
    version text not null,
    provider_id text,
    status text not null check (status in ('planned', 'submitting', 'submitted', 'succeeded', 'cached', 'undecided', 'failed')),
    attempts bigint not null default 0,
    answer jsonb,
    predict_seconds double precision,
    cost_usd double precision not null default 0,
    error text,
    created_at timestamptz not null,
    submitted_at timestamptz,
    closed_at timestamptz,
    unique (execution_id, task, content_hash),
    foreign key (execution_id, content_hash) references targets (execution_id, content_hash)
);
comment on table predictions is 'One question put to one model about one target.';
comment on column predictions.prediction_id is 'Our own key, known before the call to the provider.';
comment on column predictions.execution_id is 'The run that asks.';
comment on column predictions.video_id is 'The video that is asked about.';
comment on column predictions.task is 'The kind of analysis.';
comment on column predictions.content_hash is 'The target, by its bytes.';
comment on column predictions.object_key is 'The bytes that the model is given.';
comment on column predictions.provider is 'Who runs the model.';
comment on column predictions.model is 'The model, as the provider names it.';
comment on column predictions.version is 'Its pinned version.';
comment on column predictions.provider_id is 'The provider''s id; null before it answered.';
comment on column predictions.status is 'Open until succeeded, cached, undecided or failed.';
comment on column predictions.attempts is 'Submissions begun, counted before each call.';
comment on column predictions.answer is 'The raw answer, kept for audit and for the cache.';
comment on column predictions.predict_seconds is 'Time on the model, as billed.';
comment on column predictions.cost_usd is 'What it cost.';
comment on column predictions.error is 'Why it failed or is undecided.';
comment on column predictions.created_at is 'When the question was written down.';
comment on column predictions.submitted_at is 'When the last submission began; null while planned.';
comment on column predictions.closed_at is 'When it was closed; null while open.';

create index predictions_cached on predictions (content_hash, model, version) where status = 'succeeded';

create index predictions_waiting on predictions (submitted_at) where status in ('submitting', 'submitted');

create table detections (
    prediction_id uuid not null references predictions (prediction_id),
    ordinal bigint not null,
    execution_id uuid not null references executions (execution_id),
    task text not null check (task in ('speech', 'nudity', 'violence', 'objects', 'text', 'context')),
    label text not null,
    score real not null,
    start_ms bigint not null,
    end_ms bigint not null,
    bbox jsonb,
    text text,
    words jsonb not null,
    object_key text not null,
    primary key (prediction_id, ordinal)
);
comment on table detections is 'What an answer says, at its place in the video. Raw evidence: never edited.';
comment on column detections.prediction_id is 'The question that was answered.';
comment on column detections.ordinal is 'Place within the answer, from 0.';
comment on column detections.execution_id is 'The run, for reading all of its evidence at once.';
comment on column detections.task is 'The kind of analysis.';
comment on column detections.label is 'The model''s label, or the language of speech.';
comment on column detections.score is '0 to 1.';
comment on column detections.start_ms is 'Milliseconds of the video, inclusive.';
comment on column detections.end_ms is 'Milliseconds of the video, exclusive.';
comment on column detections.bbox is 'Box in shares of the picture; null for the whole of it.';
comment on column detections.text is 'What is said or shown.';
comment on column detections.words is 'Words in the video''s time; an empty list without them.';
comment on column detections.object_key is 'The frame or sound that shows it.';

create index detections_by_execution on detections (execution_id, start_ms);
