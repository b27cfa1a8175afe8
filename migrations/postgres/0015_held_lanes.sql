-- A question waits for one of several ways: to its provider, or to its model alone.

alter table held add column lane text not null default 'replicate';
comment on column held.lane is 'The way that it waits for, as in lanes.';
