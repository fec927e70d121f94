-- A team keeps an owner (TEN-04), and people are asked into it (TEN-07).

-- Takes the team's row first, so that of two owners who leave at the same moment the second waits, and then finds that it is the last. A team
-- that is itself being deleted has no row any more, and lets everyone go.
create function keep_an_owner() returns trigger language plpgsql as $$
begin
    perform from teams where id = old.team_id for no key update;
    if found and not exists (
        select from team_members where team_id = old.team_id and role = 'owner' and id <> old.id
    ) then
        raise exception 'a team keeps at least one owner'
            using errcode = 'restrict_violation', table = 'team_members', constraint = 'ck_team_members_owner';
    end if;
    return coalesce(new, old);
end
$$;

create trigger trg_team_members_owner_stays before update of role on team_members
    for each row when (old.role = 'owner' and new.role <> 'owner') execute function keep_an_owner();

create trigger trg_team_members_owner_leaves before delete on team_members
    for each row when (old.role = 'owner') execute function keep_an_owner();

create table invitations (
    id          uuid primary key,
    team_id     uuid not null,
    email       text not null,
    role        text not null,
    -- SHA-256 of the token; the token itself is only ever in the mail.
    token_hash  bytea not null,
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    invited_by  uuid,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_invitations_email check (
        email = lower(email) and email ~ '^[^@\s]+@[^@\s]+$' and char_length(email) <= 254
    ),
    constraint ck_invitations_role check (role in ('viewer', 'editor', 'admin', 'owner')),
    constraint ck_invitations_token_hash check (octet_length(token_hash) = 32),
    constraint fk_invitations_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint fk_invitations_invited_by foreign key (invited_by) references members (id) on delete set null,
    constraint uq_invitations_token_hash unique (token_hash)
);

-- One open invitation per address: another one takes its place.
create unique index uq_invitations_team_id_email on invitations (team_id, email) where accepted_at is null;
create index idx_invitations_email on invitations (email) where accepted_at is null;

create trigger trg_invitations_updated_on before update on invitations
    for each row execute function touch_updated_on();
