-- Policy packs that were added to those of the program.

-- One version of a policy pack; never changed, since reports name it.
create table policy_packs (
    -- The pack, as projects name it.
    pack_id text not null,
    -- Of the pack; what has changed needs a new one.
    version text not null,
    -- The file as it was accepted.
    body text not null,
    -- When it was added.
    created_at integer not null,
    primary key (pack_id, version)
);
