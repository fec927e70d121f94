-- External callers of a team, one per environment, each with its own API key (KEY-01 … KEY-04, brief 3 T1.4).

create table services (
    id            uuid primary key,
    team_id       uuid not null,
    name          text not null,
    environment   text not null,
    -- SHA-256 of the key and its last four characters; the key itself is never stored.
    api_key_hash  bytea,
    api_key_last4 text,
    created_on    timestamptz not null default now(),
    updated_on    timestamptz not null default now(),
    constraint ck_services_name check (char_length(name) between 1 and 200),
    constraint ck_services_environment check (environment in ('dev', 'stage', 'prod')),
    constraint ck_services_api_key check (
        (api_key_hash is null) = (api_key_last4 is null)
        and octet_length(api_key_hash) = 32
        and char_length(api_key_last4) = 4
    ),
    constraint fk_services_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_services_team_id_name_environment unique (team_id, name, environment),
    -- What composite foreign keys point at, so that a join can't leave its team.
    constraint uq_services_team_id_id unique (team_id, id),
    -- How a request finds its service.
    constraint uq_services_api_key_hash unique (api_key_hash)
);

create trigger trg_services_updated_on before update on services
    for each row execute function touch_updated_on();
