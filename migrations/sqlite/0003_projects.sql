-- A client's folders of videos that share a policy.

-- A folder of videos of one client.
create table projects (
    -- The project, UUIDv7.
    project_id text not null primary key,
    -- The client who sees it.
    owner_id text not null references users (user_id),
    -- Unique for its owner.
    name text not null,
    -- Free text of the owner.
    description text not null default '',
    -- Policy pack for new videos.
    policy_id text not null,
    -- Frames a second sent to the models; null takes the setting.
    frame_rate real check (frame_rate > 0),
    -- When it was made.
    created_at integer not null,
    unique (owner_id, name)
);
