-- What was deleted, and Cloudflare's cache has still to be told of.

-- Objects that the cache has to forget.
create table purges (
    -- Which object.
    object_key text not null primary key,
    -- When its deletion is certainly over: what is purged before could be cached again.
    due_at integer not null
);

create index purges_due on purges (due_at);
