-- What workflows reach and what reaches them: MCP servers (MCP-02 … MCP-05), webhooks (TRG-06), conversations (CHT-01 … CHT-05).

create table mcp_servers (
    id                uuid primary key,
    team_id           uuid not null,
    name              text not null,
    -- Streamable HTTP, or the older SSE. Programs that a shared backend would have to start are refused (product.md, 10).
    transport         text not null default 'http',
    url               text not null,
    -- Header name to the name of a secret of the team; never a value.
    secret_headers    jsonb not null default '{}',
    capabilities      jsonb not null default '{}',
    status            text not null default 'disconnected',
    last_error        text,
    last_connected_at timestamptz,
    created_on        timestamptz not null default now(),
    updated_on        timestamptz not null default now(),
    constraint ck_mcp_servers_name check (char_length(name) between 1 and 200),
    constraint ck_mcp_servers_transport check (transport in ('http', 'sse')),
    constraint ck_mcp_servers_url check (url ~ '^https?://' and char_length(url) <= 2000),
    constraint ck_mcp_servers_secret_headers check (jsonb_typeof(secret_headers) = 'object'),
    constraint ck_mcp_servers_capabilities check (jsonb_typeof(capabilities) = 'object'),
    constraint ck_mcp_servers_status check (status in ('disconnected', 'connected', 'failed')),
    constraint fk_mcp_servers_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_mcp_servers_team_id_name unique (team_id, name),
    constraint uq_mcp_servers_team_id_id unique (team_id, id)
);

create trigger trg_mcp_servers_updated_on before update on mcp_servers
    for each row execute function touch_updated_on();

create table webhooks (
    id               uuid primary key,
    team_id          uuid not null,
    workflow_id      uuid not null,
    name             text not null,
    -- The name of the team's secret that its senders sign with.
    secret_name      text not null,
    is_active        boolean not null default true,
    last_received_at timestamptz,
    created_on       timestamptz not null default now(),
    updated_on       timestamptz not null default now(),
    constraint ck_webhooks_name check (char_length(name) between 1 and 200),
    constraint ck_webhooks_secret_name check (secret_name ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'),
    constraint fk_webhooks_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    constraint uq_webhooks_team_id_workflow_id_name unique (team_id, workflow_id, name)
);

create trigger trg_webhooks_updated_on before update on webhooks
    for each row execute function touch_updated_on();

create table chat_sessions (
    id              uuid primary key,
    team_id         uuid not null,
    -- Whom it is with: an expert, or a workflow.
    expert_id       uuid,
    workflow_id     uuid,
    -- Whose it is: a person's, or an end user's of a service.
    member_id       uuid,
    service_user_id uuid,
    title           text not null default '',
    settings        jsonb not null default '{}',
    created_on      timestamptz not null default now(),
    updated_on      timestamptz not null default now(),
    constraint ck_chat_sessions_with check (num_nonnulls(expert_id, workflow_id) = 1),
    constraint ck_chat_sessions_owner check (num_nonnulls(member_id, service_user_id) = 1),
    constraint ck_chat_sessions_title check (char_length(title) <= 200),
    constraint ck_chat_sessions_settings check (jsonb_typeof(settings) = 'object'),
    constraint fk_chat_sessions_expert_id
        foreign key (team_id, expert_id) references experts (team_id, id) on delete cascade,
    constraint fk_chat_sessions_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    constraint fk_chat_sessions_member_id foreign key (member_id) references members (id) on delete cascade,
    constraint fk_chat_sessions_service_user_id
        foreign key (team_id, service_user_id) references service_users (team_id, id) on delete cascade,
    constraint uq_chat_sessions_team_id_id unique (team_id, id)
);

create index idx_chat_sessions_team_id_member_id on chat_sessions (team_id, member_id, id desc);
create index idx_chat_sessions_team_id_service_user_id on chat_sessions (team_id, service_user_id, id desc);
create index idx_chat_sessions_team_id_expert_id on chat_sessions (team_id, expert_id);
create index idx_chat_sessions_team_id_workflow_id on chat_sessions (team_id, workflow_id);

create trigger trg_chat_sessions_updated_on before update on chat_sessions
    for each row execute function touch_updated_on();

create table chat_messages (
    id         uuid primary key,
    team_id    uuid not null,
    session_id uuid not null,
    role       text not null,
    content    text not null,
    -- The run that answered, which is kept elsewhere.
    run_id     uuid,
    -- Tokens and price, where a model answered.
    usage      jsonb,
    metadata   jsonb not null default '{}',
    created_on timestamptz not null default now(),
    updated_on timestamptz not null default now(),
    constraint ck_chat_messages_role check (role in ('system', 'user', 'assistant', 'tool')),
    constraint ck_chat_messages_content check (char_length(content) <= 1000000),
    constraint ck_chat_messages_usage check (jsonb_typeof(usage) = 'object'),
    constraint ck_chat_messages_metadata check (jsonb_typeof(metadata) = 'object'),
    constraint fk_chat_messages_session_id
        foreign key (team_id, session_id) references chat_sessions (team_id, id) on delete cascade
);

create index idx_chat_messages_team_id_session_id_id on chat_messages (team_id, session_id, id);

create trigger trg_chat_messages_updated_on before update on chat_messages
    for each row execute function touch_updated_on();

call lock_to_team('mcp_servers');
call lock_to_team('webhooks');
call lock_to_team('chat_sessions');
call lock_to_team('chat_messages');
