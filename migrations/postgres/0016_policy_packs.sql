-- Policy packs that were added to those of the program.

create table policy_packs (
    pack_id text not null,
    version text not null,
    body text not null,
    created_at timestamptz not null,
    primary key (pack_id, version)
);
comment on table policy_packs is 'One version of a policy pack; never changed, since reports name it.';
comment on column policy_packs.pack_id is 'The pack, as projects name it.';
comment on column policy_packs.version is 'Of the pack; what has changed needs a new one.';
comment on column policy_packs.body is 'The file as it was accepted.';
comment on column policy_packs.created_at is 'When it was added.';
