-- Who may sign in. Money and role change only through an admin.

create table users (
    user_id uuid not null primary key,
    email text not null unique,
    password_hash text not null,
    role text not null check (role in ('CLIENT', 'OPERATOR', 'ADMIN')),
    company_name text not null default '',
    balance_minutes bigint not null default 0 check (balance_minutes >= 0),
    language text not null check (language in ('ru', 'en')),
    is_active boolean not null default true,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
comment on table users is 'People who may sign in.';
comment on column users.user_id is 'The person, UUIDv7.';
comment on column users.email is 'Lower case; the name to sign in with and the address of mails.';
comment on column users.password_hash is 'argon2id in PHC form; never the password.';
comment on column users.role is 'What the person may do; self-registration makes a CLIENT.';
comment on column users.company_name is 'As the person writes it; empty when unknown.';
comment on column users.balance_minutes is 'Minutes of video that are paid for.';
comment on column users.language is 'Language of pages and mails.';
comment on column users.is_active is 'False locks the person out at once.';
comment on column users.created_at is 'When the account was made.';
comment on column users.updated_at is 'When the account was last changed.';
