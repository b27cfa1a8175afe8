-- Words that a project permits or forbids, whatever pack judges its videos.

-- The lists of words of a project.
create table project_words (
    -- Whose they are.
    project_id text not null primary key references projects (project_id),
    -- What is not told of, one entry a line.
    allowed text not null,
    -- What is told of, one entry a line.
    denied text not null,
    -- When they were last changed.
    updated_at integer not null
);
