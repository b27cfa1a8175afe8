-- Sign-ins that can be seen and revoked.

create table sessions (
    session_id uuid not null primary key,
    user_id uuid not null references users (user_id),
    token_hash text not null unique,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz
);
comment on table sessions is 'One sign-in of one person.';
comment on column sessions.session_id is 'The sign-in, UUIDv7.';
comment on column sessions.user_id is 'Who signed in.';
comment on column sessions.token_hash is 'SHA-256 of the token; the token itself is only with the browser.';
comment on column sessions.created_at is 'When the person signed in.';
comment on column sessions.expires_at is 'From here on the token is worth nothing.';
comment on column sessions.revoked_at is 'When it was signed out; null while it holds.';

create index sessions_by_user on sessions (user_id);
