-- Personas: prompt, model and parameters (EXP-01, EXP-02, brief 3 T1.3).

create table experts (
    id           uuid primary key,
    team_id      uuid not null,
    name         text not null,
    prompt       text not null default '',
    model_name   text not null,
    status       text not null default 'draft',
    input_params jsonb not null default '{}',
    -- temperature, max_tokens, tools, memory, sub_experts
    settings     jsonb not null default '{}',
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint ck_experts_name check (char_length(name) between 1 and 200),
    constraint ck_experts_model_name check (char_length(model_name) between 1 and 200),
    constraint ck_experts_status check (status in ('draft', 'active', 'archive', 'historical')),
    constraint ck_experts_input_params check (jsonb_typeof(input_params) = 'object'),
    constraint ck_experts_settings check (jsonb_typeof(settings) = 'object'),
    constraint fk_experts_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_experts_team_id_id unique (team_id, id)
);

create index idx_experts_team_id_status on experts (team_id, status);

create trigger trg_experts_updated_on before update on experts
    for each row execute function touch_updated_on();

create table expert_services (
    id         uuid primary key,
    team_id    uuid not null,
    expert_id  uuid not null,
    service_id uuid not null,
    created_on timestamptz not null default now(),
    updated_on timestamptz not null default now(),
    constraint fk_expert_services_expert_id
        foreign key (team_id, expert_id) references experts (team_id, id) on delete cascade,
    constraint fk_expert_services_service_id
        foreign key (team_id, service_id) references services (team_id, id) on delete cascade,
    constraint uq_expert_services_team_id_expert_id_service_id unique (team_id, expert_id, service_id)
);

create index idx_expert_services_team_id_service_id on expert_services (team_id, service_id);

create trigger trg_expert_services_updated_on before update on expert_services
    for each row execute function touch_updated_on();
