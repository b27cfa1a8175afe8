-- A question waits for one of several ways: to its provider, or to its model alone.

-- The way that it waits for, as in lanes.
alter table held add column lane text not null default 'replicate';
