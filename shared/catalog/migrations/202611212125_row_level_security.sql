-- The second lock (TEN-12): what a function forgets to filter by its team, Postgres does (docs/decisions/0011-two-roles-and-row-level-security.md).

-- The functions act as this role. It owns nothing, so that policies hold for it; it can't sign in, but those who can may be its members. Roles
-- belong to the server: another database on it may have made this one already, at this very moment even.
do $$
begin
    if not exists (select from pg_roles where rolname = 'heddle_functions') then
        create role heddle_functions nologin;
    end if;
exception when duplicate_object or unique_violation then null;
end
$$;

-- Whoever migrates may act as it: one process has one login for both. A superuser may anyway.
do $$
begin
    if current_setting('server_version_num')::integer < 160000 then
        if not pg_has_role(current_user, 'heddle_functions', 'member') then
            grant heddle_functions to current_user;
        end if;
    -- Since then, making a role is not yet being allowed to act as it.
    elsif not pg_has_role(current_user, 'heddle_functions', 'set') then
        execute 'grant heddle_functions to current_user with set true';
    end if;
end
$$;

-- The team that this transaction acts for, set by `set local`. Null, and so equal to no team, where none is.
create function current_team() returns uuid language sql stable parallel safe
return nullif(current_setting('heddle.team_id', true), '')::uuid;

-- Gives a tenant's table to the functions, each team's rows to those who act for it. One call for each such table, in the migration that makes it.
create procedure lock_to_team(tenants_table regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', tenants_table);
    execute format('create policy team on %s using (team_id = current_team())', tenants_table);
    execute format('grant select, insert, update, delete on %s to heddle_functions', tenants_table);
end
$$;

-- Not forced on the owner: migrations backfill the rows of all teams, and foreign keys are checked in the owner's name.
call lock_to_team('team_members');
call lock_to_team('invitations');
call lock_to_team('services');
call lock_to_team('service_segments');
call lock_to_team('service_users');
call lock_to_team('experts');
call lock_to_team('expert_services');
call lock_to_team('expert_workflow');
call lock_to_team('workflows');
call lock_to_team('nodes');
call lock_to_team('node_node');
call lock_to_team('workflow_services');
call lock_to_team('workflow_versions');
call lock_to_team('annotations');
call lock_to_team('team_data_keys');
call lock_to_team('secrets');
call lock_to_team('activity');
call lock_to_team('outbox');

-- Read and added to, never changed.
call lock_to_team('audit_log');
revoke update, delete on audit_log from heddle_functions;

alter table teams enable row level security;
create policy team on teams using (id = current_team());
grant select, insert, update, delete on teams to heddle_functions;

-- A person is in many teams and signs in before any is known; the end users of services are their team's.
alter table users enable row level security;
create policy team on users using (team_id is null or team_id = current_team());
grant select, insert, update, delete on users to heddle_functions;

-- Of no team.
grant select, insert, update, delete on members, sessions to heddle_functions;

-- What has to be known before a team is, or of all teams at once: each answers one question, in the owner's name, and nothing else.

-- Whose API key this is: the service's own, or the one before it while that is still good (KEY-03, KEY-04).
create function service_by_key(key_hash bytea)
    returns table (team_id uuid, id uuid, environment text, found_hash bytea) language sql stable security definer
begin atomic
    select s.team_id, s.id, s.environment, s.api_key_hash from services s where s.api_key_hash = key_hash
    union all
    select s.team_id, s.id, s.environment, s.previous_key_hash from services s
    where s.previous_key_hash = key_hash and s.previous_key_expires_at > now();
end;

-- The teams that a person may act for (TEN-03).
create function memberships_of(person uuid)
    returns table (team_id uuid, team_name text, role text, permissions jsonb, joined_at timestamptz)
    language sql stable security definer
begin atomic
    select tm.team_id, t.name, tm.role, tm.permissions, tm.joined_at
    from team_members tm join teams t on t.id = tm.team_id join members m on m.id = tm.member_id
    where tm.member_id = person and m.is_active;
end;

-- What a token invites to (TEN-07).
create function invitation_by_token(hash_of_token bytea)
    returns table (id uuid, team_id uuid, team_name text, email text, role text, expires_at timestamptz, accepted_at timestamptz)
    language sql stable security definer
begin atomic
    select i.id, i.team_id, t.name, i.email, i.role, i.expires_at, i.accepted_at
    from invitations i join teams t on t.id = i.team_id
    where i.token_hash = hash_of_token;
end;

-- The open invitations of an address, for the person whom it belongs to.
create function invitations_for(address text)
    returns table (id uuid, team_id uuid, team_name text, email text, role text, expires_at timestamptz, accepted_at timestamptz)
    language sql stable security definer
begin atomic
    select i.id, i.team_id, t.name, i.email, i.role, i.expires_at, i.accepted_at
    from invitations i join teams t on t.id = i.team_id
    where i.email = lower(address) and i.accepted_at is null;
end;

-- Whose data keys are wrapped by another master key than this one (SCR-06).
create function teams_of_other_masters(present_master text) returns table (team_id uuid)
    language sql stable security definer
begin atomic
    select distinct k.team_id from team_data_keys k where k.master_key_id <> present_master;
end;

-- A number in the settings of each team that has one of this name; for maintenance.
create function team_numbers(setting text) returns table (team_id uuid, number jsonb)
    language sql stable security definer
begin atomic
    select t.id, t.settings -> setting from teams t where jsonb_typeof(t.settings -> setting) = 'number' order by t.id;
end;

revoke execute on function service_by_key, memberships_of, invitation_by_token, invitations_for, teams_of_other_masters,
    team_numbers from public;
grant execute on function service_by_key, memberships_of, invitation_by_token, invitations_for, teams_of_other_masters,
    team_numbers to heddle_functions;
revoke execute on procedure lock_to_team from public;
