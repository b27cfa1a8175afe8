-- Sweeps that take a little of something long each time, and where they stand.

-- Where a sweep goes on that takes more than one tick.
create table walks (
    -- Which one.
    walk text not null primary key,
    -- The last that was looked at; null at the beginning.
    after text,
    -- When it goes on.
    due_at integer not null
);
