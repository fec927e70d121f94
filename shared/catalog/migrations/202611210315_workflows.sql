-- The editable graph (WF-01 … WF-04, brief 3 T1.6) and who may use it (T1.3, T1.7).

create table workflows (
    id                   uuid primary key,
    team_id              uuid not null,
    name                 text not null,
    description          text not null default '',
    status               text not null default 'draft',
    input_params         jsonb not null default '{}',
    settings             jsonb not null default '{}',
    tags                 text[] not null default '{}',
    is_api               boolean not null default false,
    is_public            boolean not null default false,
    cron_schedule        text,
    cron_timezone        text not null default 'UTC',
    -- Counts the edits of the draft, its graph included; what ETag shows and If-Match compares.
    revision             bigint not null default 1,
    -- Points at workflow_versions, which comes with the next migration and adds the foreign key.
    published_version_id uuid,
    -- The workflow that this one was duplicated from.
    parent_workflow_id   uuid,
    created_on           timestamptz not null default now(),
    updated_on           timestamptz not null default now(),
    constraint ck_workflows_name check (char_length(name) between 1 and 200),
    constraint ck_workflows_status check (status in ('draft', 'published', 'archived')),
    constraint ck_workflows_published check (status <> 'published' or published_version_id is not null),
    constraint ck_workflows_input_params check (jsonb_typeof(input_params) = 'object'),
    constraint ck_workflows_settings check (jsonb_typeof(settings) = 'object'),
    constraint ck_workflows_tags check (cardinality(tags) <= 50 and array_position(tags, null) is null),
    constraint ck_workflows_revision check (revision > 0),
    constraint fk_workflows_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_workflows_team_id_id unique (team_id, id),
    constraint fk_workflows_parent_workflow_id
        foreign key (team_id, parent_workflow_id) references workflows (team_id, id)
        on delete set null (parent_workflow_id)
);

create index idx_workflows_team_id_status on workflows (team_id, status);
create index idx_workflows_team_id_parent_workflow_id on workflows (team_id, parent_workflow_id);
create index idx_workflows_tags on workflows using gin (tags);

create trigger trg_workflows_updated_on before update on workflows
    for each row execute function touch_updated_on();

create table nodes (
    id                uuid primary key,
    team_id           uuid not null,
    workflow_id       uuid not null,
    key               text not null,
    name              text not null default '',
    -- The engine's registry decides which types there are, so that a new type needs no migration.
    node_type         text not null,
    metadata          jsonb not null default '{}',
    structured_output jsonb,
    retry             jsonb,
    timeout_s         bigint,
    on_error          jsonb not null default '{"action": "fail"}',
    position          jsonb,
    -- The place in the author's list, to give the graph back as it came.
    ordinal           integer not null,
    created_on        timestamptz not null default now(),
    updated_on        timestamptz not null default now(),
    -- A draft may be saved while it is still wrong (engine::validate says what is); rows refuse only what they can't hold.
    constraint ck_nodes_key check (char_length(key) between 1 and 200),
    constraint ck_nodes_node_type check (char_length(node_type) between 1 and 200),
    constraint ck_nodes_name check (char_length(name) <= 200),
    constraint ck_nodes_metadata check (jsonb_typeof(metadata) = 'object'),
    constraint ck_nodes_retry check (jsonb_typeof(retry) = 'object'),
    constraint ck_nodes_timeout_s check (timeout_s between 0 and 4294967295),
    constraint ck_nodes_on_error check (
        jsonb_typeof(on_error) = 'object' and on_error ->> 'action' in ('fail', 'continue', 'branch')
    ),
    constraint ck_nodes_position check (jsonb_typeof(position) = 'object'),
    constraint fk_nodes_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    -- Checked at the end of a statement, so that two nodes may swap their keys.
    constraint uq_nodes_workflow_id_key unique (workflow_id, key) deferrable initially immediate,
    constraint uq_nodes_team_id_workflow_id_id unique (team_id, workflow_id, id)
);

create trigger trg_nodes_updated_on before update on nodes
    for each row execute function touch_updated_on();

create table node_node (
    id          uuid primary key,
    team_id     uuid not null,
    workflow_id uuid not null,
    parent_id   uuid not null,
    child_id    uuid not null,
    label       text,
    ordinal     integer not null,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_node_node_self check (parent_id <> child_id),
    constraint ck_node_node_label check (char_length(label) between 1 and 200),
    -- Both ends in the edge's own workflow and team.
    constraint fk_node_node_parent_id foreign key (team_id, workflow_id, parent_id)
        references nodes (team_id, workflow_id, id) on delete cascade,
    constraint fk_node_node_child_id foreign key (team_id, workflow_id, child_id)
        references nodes (team_id, workflow_id, id) on delete cascade,
    -- Two edges without a label are the same edge too.
    constraint uq_node_node_parent_id_child_id_label unique nulls not distinct (parent_id, child_id, label)
);

create index idx_node_node_team_id_workflow_id on node_node (team_id, workflow_id);

create trigger trg_node_node_updated_on before update on node_node
    for each row execute function touch_updated_on();

create table expert_workflow (
    id          uuid primary key,
    team_id     uuid not null,
    expert_id   uuid not null,
    workflow_id uuid not null,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint fk_expert_workflow_expert_id
        foreign key (team_id, expert_id) references experts (team_id, id) on delete cascade,
    constraint fk_expert_workflow_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    constraint uq_expert_workflow_team_id_expert_id_workflow_id unique (team_id, expert_id, workflow_id)
);

create index idx_expert_workflow_team_id_workflow_id on expert_workflow (team_id, workflow_id);

create trigger trg_expert_workflow_updated_on before update on expert_workflow
    for each row execute function touch_updated_on();

create table workflow_services (
    id          uuid primary key,
    team_id     uuid not null,
    workflow_id uuid not null,
    service_id  uuid not null,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint fk_workflow_services_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    constraint fk_workflow_services_service_id
        foreign key (team_id, service_id) references services (team_id, id) on delete cascade,
    constraint uq_workflow_services_team_id_workflow_id_service_id unique (team_id, workflow_id, service_id)
);

create index idx_workflow_services_team_id_service_id on workflow_services (team_id, service_id);

create trigger trg_workflow_services_updated_on before update on workflow_services
    for each row execute function touch_updated_on();
