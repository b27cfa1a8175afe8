-- What a risk may be called, and what an operator may answer to it.

create table risk_definitions (
    code text not null primary key,
    area text not null,
    category text not null,
    ordinal bigint not null,
    name jsonb not null,
    description jsonb not null,
    clause jsonb not null,
    level text not null check (level in ('low', 'medium', 'high')),
    labels jsonb not null
);
comment on table risk_definitions is 'One risk of the taxonomy; seeded with each release, never deleted.';
comment on column risk_definitions.code is 'Stable: stands in triggers, reports and exports.';
comment on column risk_definitions.area is 'First level of the taxonomy.';
comment on column risk_definitions.category is 'Second level.';
comment on column risk_definitions.ordinal is 'Place in the taxonomy, for lists.';
comment on column risk_definitions.name is 'What people call it, by language.';
comment on column risk_definitions.description is 'One sentence, by language.';
comment on column risk_definitions.clause is 'Where it is written unless a policy pack says otherwise, by language.';
comment on column risk_definitions.level is 'How grave it is unless a policy pack says otherwise.';
comment on column risk_definitions.labels is 'What an operator may answer.';
