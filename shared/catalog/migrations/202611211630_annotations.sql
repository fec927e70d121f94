-- Remarks on runs (RUN-18). Runs themselves are kept outside of this database, so nothing refers to them by a key.

create table annotations (
    id          uuid primary key,
    team_id     uuid not null,
    run_id      uuid not null,
    node        text,
    text        text not null,
    -- Whoever made it may be gone; what they said stays.
    author_kind text not null,
    author_id   uuid not null,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_annotations_node check (char_length(node) between 1 and 1000),
    constraint ck_annotations_text check (char_length(text) between 1 and 2000),
    constraint ck_annotations_author_kind check (author_kind in ('service', 'member')),
    constraint fk_annotations_team_id foreign key (team_id) references teams (id) on delete cascade
);

create index idx_annotations_team_id_run_id_id on annotations (team_id, run_id, id desc);

create trigger trg_annotations_updated_on before update on annotations
    for each row execute function touch_updated_on();
