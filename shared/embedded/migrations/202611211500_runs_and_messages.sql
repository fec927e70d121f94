-- Runs, the versions they execute and the queue that drives them: what DynamoDB, S3 and SQS hold on AWS.
--
-- JSON is kept as the text it was written as: nothing here looks inside, and jsonb would reorder keys. Inputs and versions that are too
-- large to stand in a row are blobs, and the column holds `@` and the SHA-256 instead (no JSON begins with `@`).

create schema if not exists embedded;

create table embedded.runs (
    id          uuid primary key,
    team_id     uuid not null,
    workflow_id uuid not null,
    created_on  timestamptz not null,
    status      text not null,
    -- Counts the commits: a commit is accepted if it is the next one.
    revision    bigint not null,
    -- Which attempt to commit wrote the row: tells one whose answer was lost that it had won.
    commit_id   uuid not null,
    -- Rounded down to half a minute, so that not every commit moves the run in its index.
    check_at    timestamptz,
    state       text not null,
    inputs      text not null
) with (fillfactor = 70); -- room for the next state beside the present one, which saves writing the indexes anew

create index idx_runs_team_id_created_on on embedded.runs (team_id, created_on desc, id desc);
create index idx_runs_workflow_id_created_on on embedded.runs (workflow_id, created_on desc, id desc);
create index idx_runs_check_at on embedded.runs (check_at) where check_at is not null;

-- The step records of each commit, in one row: a commit settles many nodes, and they are only ever read together. Written by the
-- statement that commits them, or not at all.
create table embedded.steps (
    run_id   uuid not null,
    revision bigint not null,
    records  text not null,
    constraint pk_steps primary key (run_id, revision)
);

create table embedded.versions (
    id      uuid primary key,
    team_id uuid not null,
    version text not null
);

create table embedded.idempotency_keys (
    team_id    uuid not null,
    key        text not null,
    request    text not null,
    run_id     uuid not null,
    used_on    timestamptz not null,
    expires_on timestamptz not null,
    constraint pk_idempotency_keys primary key (team_id, key)
);

create index idx_idempotency_keys_expires_on on embedded.idempotency_keys (expires_on);

create table embedded.messages (
    id            uuid primary key,
    team_id       uuid not null,
    run_id        uuid not null,
    node          text,
    sent_on       timestamptz not null,
    visible_on    timestamptz not null,
    receive_count integer not null,
    -- The process that works on it, by the number of its advisory lock: a message of a process that is gone is free at once.
    holder        integer
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- Whose turn it is: the oldest message of each team.
create index idx_messages_team_id_visible_on on embedded.messages (team_id, visible_on);

create table embedded.dead_letters (
    id            uuid primary key,
    team_id       uuid not null,
    run_id        uuid not null,
    node          text,
    sent_on       timestamptz not null,
    receive_count integer not null,
    died_on       timestamptz not null default now()
);

create index idx_dead_letters_team_id_died_on on embedded.dead_letters (team_id, died_on);
