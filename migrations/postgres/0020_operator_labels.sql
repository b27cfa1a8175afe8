-- What operators decide, risk by risk.

create table operator_labels (
    label_id uuid not null primary key,
    video_id uuid not null references videos (video_id),
    trigger_id uuid references triggers (trigger_id) on delete set null,
    operator_id uuid not null references users (user_id),
    start_ms bigint not null,
    end_ms bigint not null,
    final_label text not null,
    confidence double precision check (confidence >= 0 and confidence <= 1),
    status text not null check (status in ('draft', 'submitted', 'approved')),
    comment text,
    carried_from uuid references operator_labels (label_id),
    decided_at timestamptz not null,
    created_at timestamptz not null
);
comment on table operator_labels is 'A decision about a risk, or a risk that a person found.';
comment on column operator_labels.label_id is 'The decision, UUIDv7.';
comment on column operator_labels.video_id is 'The video.';
comment on column operator_labels.trigger_id is 'The risk that is decided; null for a manual one, and when the video was judged anew.';
comment on column operator_labels.operator_id is 'Who decided.';
comment on column operator_labels.start_ms is 'Milliseconds of the video, inclusive.';
comment on column operator_labels.end_ms is 'Milliseconds of the video, exclusive.';
comment on column operator_labels.final_label is 'What it is: a label of the risk definition.';
comment on column operator_labels.confidence is '0 to 1, when the operator gave one.';
comment on column operator_labels.status is 'Whether it counts.';
comment on column operator_labels.comment is 'In the operator''s words.';
comment on column operator_labels.carried_from is 'The decision about the version before that this one repeats; null for one of its own.';
comment on column operator_labels.decided_at is 'When it was decided; a carried one keeps the time of the first.';
comment on column operator_labels.created_at is 'When the row was made.';

create unique index operator_labels_by_trigger on operator_labels (trigger_id) where status <> 'draft';

create index operator_labels_by_video on operator_labels (video_id, start_ms);
