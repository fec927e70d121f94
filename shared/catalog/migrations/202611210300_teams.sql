-- Tenants and the people in them (TEN-01 … TEN-04, brief 3 T1.2).

-- Every table keeps created_on and updated_on; this keeps updated_on true whoever writes (API-04).
create function touch_updated_on() returns trigger language plpgsql as $$
begin
    new.updated_on := now();
    return new;
end
$$;

create table teams (
    id          uuid primary key,
    name        text not null,
    description text not null default '',
    settings    jsonb not null default '{}',
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_teams_name check (char_length(name) between 1 and 200),
    constraint ck_teams_settings check (jsonb_typeof(settings) = 'object')
);

create trigger trg_teams_updated_on before update on teams
    for each row execute function touch_updated_on();

create table members (
    id                uuid primary key,
    first_name        text not null default '',
    last_name         text not null default '',
    email             text not null,
    avatar_url        text,
    bio               text not null default '',
    is_active         boolean not null default true,
    email_verified_at timestamptz,
    last_login_at     timestamptz,
    created_on        timestamptz not null default now(),
    updated_on        timestamptz not null default now(),
    -- An address is one whatever its case. Stored in lower case instead of as citext, which not every Postgres ships.
    constraint ck_members_email check (
        email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and char_length(email) <= 254
    ),
    constraint uq_members_email unique (email)
);

create trigger trg_members_updated_on before update on members
    for each row execute function touch_updated_on();

create table team_members (
    id          uuid primary key,
    team_id     uuid not null,
    member_id   uuid not null,
    role        text not null,
    permissions jsonb not null default '{}',
    invited_by  uuid,
    joined_at   timestamptz not null default now(),
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_team_members_role check (role in ('viewer', 'editor', 'admin', 'owner')),
    constraint ck_team_members_permissions check (jsonb_typeof(permissions) = 'object'),
    constraint fk_team_members_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint fk_team_members_member_id foreign key (member_id) references members (id) on delete cascade,
    constraint fk_team_members_invited_by foreign key (invited_by) references members (id) on delete set null,
    constraint uq_team_members_team_id_member_id unique (team_id, member_id)
);

-- The teams of a person.
create index idx_team_members_member_id on team_members (member_id);

create trigger trg_team_members_updated_on before update on team_members
    for each row execute function touch_updated_on();
