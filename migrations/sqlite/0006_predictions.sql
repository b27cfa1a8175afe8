-- What the models are shown, what they are asked and what they answered.

-- A frame or a stretch of sound that models are shown; equal bytes are one target.
create table targets (
    -- The run that cut it.
    execution_id text not null references executions (execution_id),
    -- SHA-256 of the bytes, lower-case hex: the key of the cache.
    content_hash text not null,
    -- What kind of object.
    media text not null check (media in ('frame', 'audio')),
    -- Where the bytes are stored.
    object_key text not null,
    -- The stretches of the video that it stands for, in milliseconds.
    spans text not null,
    -- Pixels; 0 for audio.
    width integer not null default 0,
    -- Pixels; 0 for audio.
    height integer not null default 0,
    primary key (execution_id, content_hash)
);

-- One question put to one model about one target.
create table predictions (
    -- Our own key, known before the call to the provider.
    prediction_id text not null primary key,
    -- The run that asks.
    execution_id text not null references executions (execution_id),
    -- The video that is asked about.
    video_id text not null references videos (video_id),
    -- The kind of analysis.
    task text not null check (task in ('speech', 'nudity', 'violence', 'objects', 'text', 'context')),
    -- The target, by its bytes.
    content_hash text not null,
    -- The bytes that the model is given.
    object_key text not null,
    -- Who runs the model.
    provider text not null,
    -- The model, as the provider names it.
    model text not null,
    -- Its pinned version.
    version text not null,
    -- The provider's id; null before it answered.
    provider_id text,
    -- Open until succeeded, cached, undecided or failed.
    status text not null check (status in ('planned', 'submitting', 'submitted', 'succeeded', 'cached', 'undecided', 'failed')),
    -- Submissions begun, counted before each call.
    attempts integer not null default 0,
    -- The raw answer, kept for audit and for the cache.
    answer text,
    -- Time on the model, as billed.
    predict_seconds real,
    -- What it cost.
    cost_usd real not null default 0,
    -- Why it failed or is undecided.
    error text,
    -- When the question was written down.
    created_at integer not null,
    -- When the last submission began; null while planned.
    submitted_at integer,
    -- When it was closed; null while open.
    closed_at integer,
    unique (execution_id, task, content_hash),
    foreign key (execution_id, content_hash) references targets (execution_id, content_hash)
);

create index predictions_cached on predictions (content_hash, model, version) where status = 'succeeded';

create index predictions_waiting on predictions (submitted_at) where status in ('submitting', 'submitted');

-- What an answer says, at its place in the video. Raw evidence: never edited.
create table detections (
    -- The question that was answered.
    prediction_id text not null references predictions (prediction_id),
    -- Place within the answer, from 0.
    ordinal integer not null,
    -- The run, for reading all of its evidence at once.
    execution_id text not null references executions (execution_id),
    -- The kind of analysis.
    task text not null check (task in ('speech', 'nudity', 'violence', 'objects', 'text', 'context')),
    -- The model's label, or the language of speech.
    label text not null,
    -- 0 to 1.
    score real not null,
    -- Milliseconds of the video, inclusive.
    start_ms integer not null,
    -- Milliseconds of the video, exclusive.
    end_ms integer not null,
    -- Box in shares of the picture; null for the whole of it.
    bbox text,
    -- What is said or shown.
    text text,
    -- Words in the video's time; an empty list without them.
    words text not null,
    -- The frame or sound that shows it.
    object_key text not null,
    primary key (prediction_id, ordinal)
);

create index detections_by_execution on detections (execution_id, start_ms);
