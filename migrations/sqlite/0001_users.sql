-- Who may sign in. Money and role change only through an admin.

-- People who may sign in.
create table users (
    -- The person, UUIDv7.
    user_id text not null primary key,
    -- Lower case; the name to sign in with and the address of mails.
    email text not null unique,
    -- argon2id in PHC form; never the password.
    password_hash text not null,
    -- What the person may do; self-registration makes a CLIENT.
    role text not null check (role in ('CLIENT', 'OPERATOR', 'ADMIN')),
    -- As the person writes it; empty when unknown.
    company_name text not null default '',
    -- Minutes of video that are paid for.
    balance_minutes integer not null default 0 check (balance_minutes >= 0),
    -- Language of pages and mails.
    language text not null check (language in ('ru', 'en')),
    -- False locks the person out at once.
    is_active boolean not null default true,
    -- When the account was made.
    created_at integer not null,
    -- When the account was last changed.
    updated_at integer not null
);
