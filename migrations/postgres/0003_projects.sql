-- A client's folders of videos that share a policy.

create table projects (
    project_id uuid not null primary key,
    owner_id uuid not null references users (user_id),
    name text not null,
    description text not null default '',
    policy_id text not null,
    frame_rate double precision check (frame_rate > 0),
    created_at timestamptz not null,
    unique (owner_id, name)
);
comment on table projects is 'A folder of videos of one client.';
comment on column projects.project_id is 'The project, UUIDv7.';
comment on column projects.owner_id is 'The client who sees it.';
comment on column projects.name is 'Unique for its owner.';
comment on column projects.description is 'Free text of the owner.';
comment on column projects.policy_id is 'Policy pack for new videos.';
comment on column projects.frame_rate is 'Frames a second sent to the models; null takes the setting.';
comment on column projects.created_at is 'When it was made.';
