-- What predictions cost, by video and by month, so that caps hold before money is spent.

-- Money of one video or one month.
create table spending (
    -- What it is counted for.
    scope text not null check (scope in ('video', 'month')),
    -- The video, or the month as 2026-03 (UTC).
    subject text not null,
    -- Of questions that have ended, by the time on the model.
    spent_usd real not null default 0,
    -- Expected, of questions that the provider has or may have.
    reserved_usd real not null default 0,
    -- The cap that somebody was told of; null before it was reached.
    told_usd real,
    primary key (scope, subject)
);

-- What one question may yet cost; gone when it has ended.
create table reservations (
    -- The question.
    prediction_id text not null primary key references predictions (prediction_id),
    -- The month in which it was counted.
    month text not null,
    -- What it is expected to cost.
    usd real not null
);
