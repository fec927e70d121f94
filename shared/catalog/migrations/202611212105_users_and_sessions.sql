-- Who signs in, and on whose behalf services act (AUT-09, AUT-18, AUT-19, KEY-03, KEY-05 … KEY-07, KEY-14, brief 3 T1.4 and T1.5).

-- The key that a service had before, for as long as its owner still has to put the new one everywhere.
alter table services
    add column previous_key_hash       bytea,
    add column previous_key_expires_at timestamptz,
    add constraint ck_services_previous_key check (
        (previous_key_hash is null) = (previous_key_expires_at is null) and octet_length(previous_key_hash) = 32
    ),
    add constraint uq_services_previous_key_hash unique (previous_key_hash);

create table service_segments (
    id         uuid primary key,
    team_id    uuid not null,
    service_id uuid not null,
    name       text not null,
    -- JSON Schema of the properties that tell the service's end users apart.
    keys       jsonb not null default '{}',
    created_on timestamptz not null default now(),
    updated_on timestamptz not null default now(),
    constraint ck_service_segments_name check (char_length(name) between 1 and 200),
    constraint ck_service_segments_keys check (jsonb_typeof(keys) = 'object'),
    constraint fk_service_segments_service_id
        foreign key (team_id, service_id) references services (team_id, id) on delete cascade,
    constraint uq_service_segments_service_id_name unique (service_id, name)
);

create index idx_service_segments_team_id_service_id on service_segments (team_id, service_id);

create trigger trg_service_segments_updated_on before update on service_segments
    for each row execute function touch_updated_on();

-- Internal, that is a person of `members`, or bound to an end user of a service and so in that service's team.
create table users (
    id              uuid primary key,
    member_id       uuid,
    -- Argon2id in PHC form. A person may sign in by mail alone.
    password_hash   text,
    team_id         uuid,
    service_user_id uuid,
    created_on      timestamptz not null default now(),
    updated_on      timestamptz not null default now(),
    constraint ck_users_bound check (
        num_nonnulls(member_id, service_user_id) = 1
        and (service_user_id is null) = (team_id is null)
        and (password_hash is null or member_id is not null)
    ),
    constraint ck_users_password_hash check (password_hash like '$argon2id$%' and char_length(password_hash) <= 500),
    constraint fk_users_member_id foreign key (member_id) references members (id) on delete cascade,
    constraint fk_users_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_users_member_id unique (member_id),
    constraint uq_users_team_id_service_user_id unique (team_id, service_user_id),
    constraint uq_users_team_id_id unique (team_id, id)
);

create trigger trg_users_updated_on before update on users
    for each row execute function touch_updated_on();

create table service_users (
    id           uuid primary key,
    team_id      uuid not null,
    service_id   uuid not null,
    user_id      uuid not null,
    -- {"version": 1, "properties": {"user_id": "abc"}}
    segment_key  jsonb not null,
    -- SHA-256 of service, version and properties in canonical form, the service's id included: no other service has the same.
    segment_hash bytea not null,
    version      integer not null,
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    -- A part that is missing is null, and a check takes null for true.
    constraint ck_service_users_segment_key check (
        coalesce(jsonb_typeof(segment_key -> 'properties') = 'object', false)
        and coalesce(segment_key -> 'version' = to_jsonb(version), false)
    ),
    constraint ck_service_users_segment_hash check (octet_length(segment_hash) = 32),
    constraint ck_service_users_version check (version > 0),
    constraint fk_service_users_service_id
        foreign key (team_id, service_id) references services (team_id, id) on delete cascade,
    -- Each of the two names the other, so that one of them has to be there first.
    constraint fk_service_users_user_id foreign key (team_id, user_id) references users (team_id, id)
        on delete cascade deferrable initially deferred,
    constraint uq_service_users_segment_hash unique (segment_hash),
    constraint uq_service_users_user_id unique (user_id),
    constraint uq_service_users_team_id_id unique (team_id, id)
);

create index idx_service_users_team_id_service_id on service_users (team_id, service_id);

create trigger trg_service_users_updated_on before update on service_users
    for each row execute function touch_updated_on();

alter table users add constraint fk_users_service_user_id foreign key (team_id, service_user_id)
    references service_users (team_id, id) on delete cascade deferrable initially deferred;

-- A refresh token each. Those of one sign-in are a family, of which one is live: rotation replaces it, reuse ends all.
create table sessions (
    id               uuid primary key,
    user_id          uuid not null,
    family           uuid not null,
    -- SHA-256 of the token.
    refresh_hash     bytea not null,
    expires_at       timestamptz not null,
    ip               inet,
    user_agent       text,
    last_activity_at timestamptz not null,
    -- When its successor was handed out, and which that is.
    replaced_at      timestamptz,
    replaced_by      uuid,
    revoked_at       timestamptz,
    created_on       timestamptz not null default now(),
    updated_on       timestamptz not null default now(),
    constraint ck_sessions_refresh_hash check (octet_length(refresh_hash) = 32),
    constraint ck_sessions_replaced check ((replaced_at is null) = (replaced_by is null)),
    constraint ck_sessions_user_agent check (char_length(user_agent) <= 500),
    constraint fk_sessions_user_id foreign key (user_id) references users (id) on delete cascade,
    constraint uq_sessions_refresh_hash unique (refresh_hash)
);

create index idx_sessions_user_id_family on sessions (user_id, family);
create index idx_sessions_family on sessions (family);
-- What may be forgotten.
create index idx_sessions_expires_at on sessions (expires_at);

create trigger trg_sessions_updated_on before update on sessions
    for each row execute function touch_updated_on();
