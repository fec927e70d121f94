-- Immutable published snapshots (WF-07, WF-08): a run keeps its version for ever.

create table workflow_versions (
    id            uuid primary key,
    team_id       uuid not null,
    workflow_id   uuid not null,
    number        integer not null,
    workflow_name text not null,
    graph         jsonb not null,
    input_params  jsonb not null default '{}',
    is_api        boolean not null,
    note          text,
    created_on    timestamptz not null default now(),
    -- Equal to created_on for ever; here because every table has it.
    updated_on    timestamptz not null default now(),
    constraint ck_workflow_versions_number check (number > 0),
    constraint ck_workflow_versions_graph check (jsonb_typeof(graph) = 'object'),
    constraint ck_workflow_versions_input_params check (jsonb_typeof(input_params) = 'object'),
    constraint ck_workflow_versions_note check (char_length(note) between 1 and 2000),
    constraint fk_workflow_versions_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    constraint uq_workflow_versions_workflow_id_number unique (workflow_id, number),
    constraint uq_workflow_versions_team_id_workflow_id_id unique (team_id, workflow_id, id)
);

-- A version goes only together with its workflow or team, which is a cascade: one trigger inside another.
create function refuse_version_change() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and pg_trigger_depth() > 1 then
        return old;
    end if;
    raise exception 'a published version never changes'
        using errcode = 'restrict_violation',
              table = 'workflow_versions',
              constraint = 'ck_workflow_versions_immutable';
end
$$;

create trigger trg_workflow_versions_immutable before update or delete on workflow_versions
    for each row execute function refuse_version_change();

alter table workflows add constraint fk_workflows_published_version_id
    foreign key (team_id, id, published_version_id) references workflow_versions (team_id, workflow_id, id);
