-- What operators decide, risk by risk.

-- A decision about a risk, or a risk that a person found.
create table operator_labels (
    -- The decision, UUIDv7.
    label_id text not null primary key,
    -- The video.
    video_id text not null references videos (video_id),
    -- The risk that is decided; null for a manual one, and when the video was judged anew.
    trigger_id text references triggers (trigger_id) on delete set null,
    -- Who decided.
    operator_id text not null references users (user_id),
    -- Milliseconds of the video, inclusive.
    start_ms integer not null,
    -- Milliseconds of the video, exclusive.
    end_ms integer not null,
    -- What it is: a label of the risk definition.
    final_label text not null,
    -- 0 to 1, when the operator gave one.
    confidence real check (confidence >= 0 and confidence <= 1),
    -- Whether it counts.
    status text not null check (status in ('draft', 'submitted', 'approved')),
    -- In the operator's words.
    comment text,
    -- The decision about the version before that this one repeats; null for one of its own.
    carried_from text references operator_labels (label_id),
    -- When it was decided; a carried one keeps the time of the first.
    decided_at integer not null,
    -- When the row was made.
    created_at integer not null
);

create unique index operator_labels_by_trigger on operator_labels (trigger_id) where status <> 'draft';

create index operator_labels_by_video on operator_labels (video_id, start_ms);
