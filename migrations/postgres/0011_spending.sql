-- What predictions cost, by video and by month, so that caps hold before money is spent.

create table spending (
    scope text not null check (scope in ('video', 'month')),
    subject text not null,
    spent_usd double precision not null default 0,
    reserved_usd double precision not null default 0,
    told_usd double precision,
    primary key (scope, subject)
);
comment on table spending is 'Money of one video or one month.';
comment on column spending.scope is 'What it is counted for.';
comment on column spending.subject is 'The video, or the month as 2026-03 (UTC).';
comment on column spending.spent_usd is 'Of questions that have ended, by the time on the model.';
comment on column spending.reserved_usd is 'Expected, of questions that the provider has or may have.';
comment on column spending.told_usd is 'The cap that somebody was told of; null before it was reached.';

create table reservations (
    prediction_id uuid not null primary key references predictions (prediction_id),
    month text not null,
    usd double precision not null
);
comment on table reservations is 'What one question may yet cost; gone when it has ended.';
comment on column reservations.prediction_id is 'The question.';
comment on column reservations.month is 'The month in which it was counted.';
comment on column reservations.usd is 'What it is expected to cost.';
