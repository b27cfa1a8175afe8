-- Sign-ins that can be seen and revoked.

-- One sign-in of one person.
create table sessions (
    -- The sign-in, UUIDv7.
    session_id text not null primary key,
    -- Who signed in.
    user_id text not null references users (user_id),
    -- SHA-256 of the token; the token itself is only with the browser.
    token_hash text not null unique,
    -- When the person signed in.
    created_at integer not null,
    -- From here on the token is worth nothing.
    expires_at integer not null,
    -- When it was signed out; null while it holds.
    revoked_at integer
);

create index sessions_by_user on sessions (user_id);
