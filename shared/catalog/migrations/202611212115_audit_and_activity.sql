-- What was done, by whom: the log that proves it (TEN-11) and the one that people read (TEN-10).

-- No reference to anything: neither the end of a team nor that of a member takes an entry away.
create table audit_log (
    id            uuid primary key,
    team_id       uuid not null,
    -- Counts the entries of the team from 1 without a gap.
    number        bigint not null,
    actor_kind    text not null,
    actor_id      uuid,
    action        text not null,
    resource_kind text not null,
    resource_id   uuid,
    outcome       text not null,
    -- Scopes, what changed and the like; never a secret.
    details       jsonb not null default '{}',
    ip            inet,
    request_id    text,
    -- SHA-256 of the entry before (zeros before the first), and of that hash together with this entry.
    prev_hash     bytea not null,
    hash          bytea not null,
    created_on    timestamptz not null,
    -- Equal to created_on for ever; here because every table has it.
    updated_on    timestamptz not null,
    constraint ck_audit_log_number check (number > 0),
    constraint ck_audit_log_actor check (
        actor_kind in ('member', 'service', 'system') and (actor_kind = 'system') = (actor_id is null)
    ),
    constraint ck_audit_log_action check (char_length(action) between 1 and 100),
    constraint ck_audit_log_resource_kind check (char_length(resource_kind) between 1 and 100),
    constraint ck_audit_log_outcome check (outcome in ('allowed', 'denied', 'failed')),
    constraint ck_audit_log_details check (jsonb_typeof(details) = 'object'),
    constraint ck_audit_log_request_id check (char_length(request_id) <= 200),
    constraint ck_audit_log_hash check (octet_length(prev_hash) = 32 and octet_length(hash) = 32),
    constraint uq_audit_log_team_id_number unique (team_id, number)
);

-- What an entry's hash is of: all that it says, in one text. jsonb writes a value in one way only.
create function audit_hash(entry audit_log) returns bytea language sql immutable
return sha256(entry.prev_hash || convert_to(jsonb_build_array(
    entry.id, entry.team_id, entry.number, entry.actor_kind, entry.actor_id, entry.action, entry.resource_kind,
    entry.resource_id, entry.outcome, entry.details, host(entry.ip), entry.request_id,
    (extract(epoch from entry.created_on) * 1000000)::bigint)::text, 'UTF8'));

-- Chains an entry to the one before, whoever writes it. One after the other for each team: the lock is given back by the commit.
create function chain_audit_entry() returns trigger language plpgsql as $$
declare
    last audit_log;
begin
    perform pg_advisory_xact_lock(hashtextextended(new.team_id::text, 0));
    select * into last from audit_log where team_id = new.team_id order by number desc limit 1;
    new.number := coalesce(last.number, 0) + 1;
    new.prev_hash := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    new.updated_on := new.created_on;
    new.hash := audit_hash(new);
    return new;
end
$$;

create trigger trg_audit_log_chained before insert on audit_log
    for each row execute function chain_audit_entry();

create function refuse_audit_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log never changes'
        using errcode = 'restrict_violation', table = 'audit_log', constraint = 'ck_audit_log_immutable';
end
$$;

create trigger trg_audit_log_immutable before update or delete on audit_log
    for each row execute function refuse_audit_change();

create trigger trg_audit_log_kept before truncate on audit_log
    for each statement execute function refuse_audit_change();

-- For people: who did what lately. May be forgotten.
create table activity (
    id            uuid primary key,
    team_id       uuid not null,
    actor_kind    text not null,
    actor_id      uuid,
    action        text not null,
    resource_kind text,
    resource_id   uuid,
    details       jsonb not null default '{}',
    ip            inet,
    user_agent    text,
    created_on    timestamptz not null default now(),
    updated_on    timestamptz not null default now(),
    constraint ck_activity_actor check (
        actor_kind in ('member', 'service', 'system') and (actor_kind = 'system') = (actor_id is null)
    ),
    constraint ck_activity_action check (char_length(action) between 1 and 100),
    constraint ck_activity_resource check (
        char_length(resource_kind) between 1 and 100 and (resource_id is null or resource_kind is not null)
    ),
    constraint ck_activity_details check (jsonb_typeof(details) = 'object'),
    constraint ck_activity_user_agent check (char_length(user_agent) <= 500),
    constraint fk_activity_team_id foreign key (team_id) references teams (id) on delete cascade
);

create index idx_activity_team_id_id on activity (team_id, id desc);
create index idx_activity_team_id_resource_id on activity (team_id, resource_id, id desc);

create trigger trg_activity_updated_on before update on activity
    for each row execute function touch_updated_on();
