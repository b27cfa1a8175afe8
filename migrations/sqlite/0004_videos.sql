-- Uploaded videos and where each stands in the chain.

-- One uploaded video.
create table videos (
    -- The video, UUIDv7.
    video_id text not null primary key,
    -- The folder it lies in.
    project_id text not null references projects (project_id),
    -- Idempotency key of the request that made it; a repeat finds the same row.
    client_key text,
    -- The client's file name: data, never part of a key.
    original_name text not null,
    -- Where the bytes are stored.
    object_key text not null unique,
    -- As announced by the client.
    content_type text not null,
    -- Announced size; after the upload the stored one.
    size_bytes integer not null check (size_bytes >= 0),
    -- Lower-case hex, when the client announced it.
    checksum_sha256 text,
    -- ETag of the stored object that was checked.
    etag text,
    -- Open multipart upload; null when single or finished.
    upload_id text,
    -- Bytes of one part; null for a single upload.
    part_size integer check (part_size > 0),
    -- When an unfinished upload is given up.
    upload_expires_at integer not null,
    -- Where it stands; changed by compare-and-swap only.
    step text not null check (step in ('awaiting_upload', 'uploaded', 'extracting', 'analysing', 'judging', 'verification', 'completed', 'failed', 'expired')),
    -- Why it failed, as code and figures; null unless failed.
    refusal text,
    -- When what is stored of it was deleted after a failure; null while it is kept.
    erased_at integer,
    -- What the container says; null before probing.
    probe text,
    -- Measured length; null before probing.
    duration_ms integer check (duration_ms >= 0),
    -- Policy pack it is judged by.
    policy_id text not null,
    -- When the upload was announced.
    created_at integer not null,
    -- When the row last changed.
    updated_at integer not null,
    unique (project_id, client_key)
);

create index videos_by_project on videos (project_id, created_at);

create index videos_by_checksum on videos (project_id, checksum_sha256);

create index videos_awaiting_upload on videos (upload_expires_at) where step = 'awaiting_upload';

create index videos_to_erase on videos (updated_at) where step in ('failed', 'expired') and erased_at is null;
