-- Words that a project permits or forbids, whatever pack judges its videos.

create table project_words (
    project_id uuid not null primary key references projects (project_id),
    allowed text not null,
    denied text not null,
    updated_at timestamptz not null
);
comment on table project_words is 'The lists of words of a project.';
comment on column project_words.project_id is 'Whose they are.';
comment on column project_words.allowed is 'What is not told of, one entry a line.';
comment on column project_words.denied is 'What is told of, one entry a line.';
comment on column project_words.updated_at is 'When they were last changed.';
