-- What a risk may be called, and what an operator may answer to it.

-- One risk of the taxonomy; seeded with each release, never deleted.
create table risk_definitions (
    -- Stable: stands in triggers, reports and exports.
    code text not null primary key,
    -- First level of the taxonomy.
    area text not null,
    -- Second level.
    category text not null,
    -- Place in the taxonomy, for lists.
    ordinal integer not null,
    -- What people call it, by language.
    name text not null,
    -- One sentence, by language.
    description text not null,
    -- Where it is written unless a policy pack says otherwise, by language.
    clause text not null,
    -- How grave it is unless a policy pack says otherwise.
    level text not null check (level in ('low', 'medium', 'high')),
    -- What an operator may answer.
    labels text not null
);
