-- What was deleted, and Cloudflare's cache has still to be told of.

create table purges (
    object_key text not null primary key,
    due_at timestamptz not null
);
comment on table purges is 'Objects that the cache has to forget.';
comment on column purges.object_key is 'Which object.';
comment on column purges.due_at is 'When its deletion is certainly over: what is purged before could be cached again.';

create index purges_due on purges (due_at);
