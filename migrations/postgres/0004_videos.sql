-- Uploaded videos and where each stands in the chain.

create table videos (
    video_id uuid not null primary key,
    project_id uuid not null references projects (project_id),
    client_key text,
    original_name text not null,
    object_key text not null unique,
    content_type text not null,
    size_bytes bigint not null check (size_bytes >= 0),
    checksum_sha256 text,
    etag text,
    upload_id text,
    part_size bigint check (part_size > 0),
    upload_expires_at timestamptz not null,
    step text not null check (step in ('awaiting_upload', 'uploaded', 'extracting', 'analysing', 'judging', 'verification', 'completed', 'failed', 'expired')),
    refusal jsonb,
    erased_at timestamptz,
    probe jsonb,
    duration_ms bigint check (duration_ms >= 0),
    policy_id text not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (project_id, client_key)
);
comment on table videos is 'One uploaded video.';
comment on column videos.video_id is 'The video, UUIDv7.';
comment on column videos.project_id is 'The folder it lies in.';
comment on column videos.client_key is 'Idempotency key of the request that made it; a repeat finds the same row.';
comment on column videos.original_name is 'The client''s file name: data, never part of a key.';
comment on column videos.object_key is 'Where the bytes are stored.';
comment on column videos.content_type is 'As announced by the client.';
comment on column videos.size_bytes is 'Announced size; after the upload the stored one.';
comment on column videos.checksum_sha256 is 'Lower-case hex, when the client announced it.';
comment on column videos.etag is 'ETag of the stored object that was checked.';
comment on column videos.upload_id is 'Open multipart upload; null when single or finished.';
comment on column videos.part_size is 'Bytes of one part; null for a single upload.';
comment on column videos.upload_expires_at is 'When an unfinished upload is given up.';
comment on column videos.step is 'Where it stands; changed by compare-and-swap only.';
comment on column videos.refusal is 'Why it failed, as code and figures; null unless failed.';
comment on column videos.erased_at is 'When what is stored of it was deleted after a failure; null while it is kept.';
comment on column videos.probe is 'What the container says; null before probing.';
comment on column videos.duration_ms is 'Measured length; null before probing.';
comment on column videos.policy_id is 'Policy pack it is judged by.';
comment on column videos.created_at is 'When the upload was announced.';
comment on column videos.updated_at is 'When the row last changed.';

create index videos_by_project on videos (project_id, created_at);

create index videos_by_checksum on videos (project_id, checksum_sha256);

create index videos_awaiting_upload on videos (upload_expires_at) where step = 'awaiting_upload';

create index videos_to_erase on videos (updated_at) where step in ('failed', 'expired') and erased_at is null;
