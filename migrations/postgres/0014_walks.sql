-- Sweeps that take a little of something long each time, and where they stand.

create table walks (
    walk text not null primary key,
    after text,
    due_at timestamptz not null
);
comment on table walks is 'Where a sweep goes on that takes more than one tick.';
comment on column walks.walk is 'Which one.';
comment on column walks.after is 'The last that was looked at; null at the beginning.';
comment on column walks.due_at is 'When it goes on.';
