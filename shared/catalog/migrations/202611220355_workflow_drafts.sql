-- Drafts that would be lost otherwise: one that came too late for its If-Match, and one that another took the place of.

alter table workflows
    -- Whose the last edit of the graph was; Heddle's own where that was before this was kept.
    add column edited_by_kind text not null default 'system',
    add column edited_by_id uuid,
    add constraint ck_workflows_edited_by check (
        edited_by_kind in ('member', 'service', 'system') and (edited_by_kind = 'system') = (edited_by_id is null)
    ) not valid;

create table workflow_drafts (
    id          uuid primary key,
    team_id     uuid not null,
    workflow_id uuid not null,
    -- The revision that its author began with; of one that was replaced, its own.
    based_on    bigint not null,
    graph       jsonb not null,
    reason      text not null,
    -- Whose it is.
    actor_kind  text not null,
    actor_id    uuid,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_workflow_drafts_based_on check (based_on > 0),
    constraint ck_workflow_drafts_graph check (jsonb_typeof(graph) = 'object'),
    constraint ck_workflow_drafts_reason check (reason in ('refused', 'replaced')),
    constraint ck_workflow_drafts_actor check (
        actor_kind in ('member', 'service', 'system') and (actor_kind = 'system') = (actor_id is null)
    ),
    constraint fk_workflow_drafts_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade
);

create index idx_workflow_drafts_team_id_workflow_id_id on workflow_drafts (team_id, workflow_id, id desc);

create trigger trg_workflow_drafts_updated_on before update on workflow_drafts
    for each row execute function touch_updated_on();

call lock_to_team('workflow_drafts');
