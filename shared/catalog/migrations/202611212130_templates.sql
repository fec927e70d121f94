-- The gallery (GAL-01 … GAL-11, brief 2): what a team offers, what others took of it, and who let it in.

-- How a creator shows themselves; of no team, and for everyone to see.
create table profiles (
    id           uuid primary key,
    member_id    uuid not null,
    handle       text not null,
    display_name text not null,
    bio          text not null default '',
    avatar_url   text,
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint ck_profiles_handle check (handle ~ '^[a-z0-9][a-z0-9-]{1,38}$'),
    constraint ck_profiles_display_name check (char_length(display_name) between 1 and 200),
    constraint fk_profiles_member_id foreign key (member_id) references members (id) on delete cascade,
    constraint uq_profiles_member_id unique (member_id),
    constraint uq_profiles_handle unique (handle)
);

create trigger trg_profiles_updated_on before update on profiles
    for each row execute function touch_updated_on();

create table templates (
    id                   uuid primary key,
    team_id              uuid not null,
    creator_id           uuid,
    name                 text not null,
    description          text not null default '',
    cover_url            text,
    tags                 text[] not null default '{}',
    -- The one that the gallery shows; none until it was let in, or after it was taken back.
    published_version_id uuid,
    published_at         timestamptz,
    installs             bigint not null default 0,
    created_on           timestamptz not null default now(),
    updated_on           timestamptz not null default now(),
    constraint ck_templates_name check (char_length(name) between 1 and 200),
    constraint ck_templates_tags check (cardinality(tags) <= 50 and array_position(tags, null) is null),
    constraint ck_templates_published check ((published_version_id is null) = (published_at is null)),
    constraint ck_templates_installs check (installs >= 0),
    constraint fk_templates_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint fk_templates_creator_id foreign key (creator_id) references members (id) on delete set null,
    constraint uq_templates_team_id_id unique (team_id, id)
);

create index idx_templates_published_at on templates (published_at desc) where published_at is not null;
create index idx_templates_tags on templates using gin (tags);

create trigger trg_templates_updated_on before update on templates
    for each row execute function touch_updated_on();

create table template_versions (
    id           uuid primary key,
    team_id      uuid not null,
    template_id  uuid not null,
    number       integer not null,
    graph        jsonb not null,
    input_params jsonb not null default '{}',
    note         text,
    -- When it was first shown in the gallery: whoever installed it then keeps it.
    published_at timestamptz,
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint ck_template_versions_number check (number > 0),
    constraint ck_template_versions_graph check (jsonb_typeof(graph) = 'object'),
    constraint ck_template_versions_input_params check (jsonb_typeof(input_params) = 'object'),
    constraint ck_template_versions_note check (char_length(note) between 1 and 2000),
    constraint fk_template_versions_template_id
        foreign key (team_id, template_id) references templates (team_id, id) on delete cascade,
    constraint uq_template_versions_template_id_number unique (template_id, number),
    constraint uq_template_versions_template_id_id unique (template_id, id),
    constraint uq_template_versions_team_id_template_id_id unique (team_id, template_id, id)
);

create trigger trg_template_versions_updated_on before update on template_versions
    for each row execute function touch_updated_on();

alter table templates add constraint fk_templates_published_version_id
    foreign key (team_id, id, published_version_id) references template_versions (team_id, template_id, id);

-- Of the team that installed it: a copy, which is its own.
create table installations (
    id           uuid primary key,
    team_id      uuid not null,
    -- What another team offers may go; the copy stays.
    template_id  uuid,
    version_id   uuid,
    workflow_id  uuid not null,
    installed_by uuid,
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint fk_installations_version_id foreign key (template_id, version_id)
        references template_versions (template_id, id) match full on delete set null,
    constraint fk_installations_workflow_id
        foreign key (team_id, workflow_id) references workflows (team_id, id) on delete cascade,
    constraint fk_installations_installed_by foreign key (installed_by) references members (id) on delete set null
);

create index idx_installations_team_id_workflow_id on installations (team_id, workflow_id);
create index idx_installations_template_id on installations (template_id);

create trigger trg_installations_updated_on before update on installations
    for each row execute function touch_updated_on();

create table submissions (
    id           uuid primary key,
    team_id      uuid not null,
    template_id  uuid not null,
    version_id   uuid not null,
    submitter_id uuid,
    status       text not null default 'draft',
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint ck_submissions_status check (status in ('draft', 'pending', 'approved', 'rejected', 'published')),
    constraint fk_submissions_version_id foreign key (team_id, template_id, version_id)
        references template_versions (team_id, template_id, id) on delete cascade,
    constraint fk_submissions_submitter_id foreign key (submitter_id) references members (id) on delete set null,
    constraint uq_submissions_version_id unique (version_id),
    constraint uq_submissions_team_id_id unique (team_id, id)
);

-- The queue of the moderators.
create index idx_submissions_status on submissions (status, id) where status = 'pending';
create index idx_submissions_team_id_template_id on submissions (team_id, template_id);

create trigger trg_submissions_updated_on before update on submissions
    for each row execute function touch_updated_on();

create table moderation_events (
    id            uuid primary key,
    -- Of the team that submitted.
    team_id       uuid not null,
    submission_id uuid not null,
    actor_id      uuid,
    action        text not null,
    note          text,
    created_on    timestamptz not null default now(),
    updated_on    timestamptz not null default now(),
    constraint ck_moderation_events_action check (action in ('submit', 'approve', 'reject', 'publish', 'withdraw')),
    constraint ck_moderation_events_note check (char_length(note) between 1 and 2000),
    constraint fk_moderation_events_submission_id
        foreign key (team_id, submission_id) references submissions (team_id, id) on delete cascade,
    constraint fk_moderation_events_actor_id foreign key (actor_id) references members (id) on delete set null
);

create index idx_moderation_events_team_id_submission_id on moderation_events (team_id, submission_id, id);

create trigger trg_moderation_events_updated_on before update on moderation_events
    for each row execute function touch_updated_on();

-- How people came to a template of the team, counted by day.
create table referrals (
    id          uuid primary key,
    team_id     uuid not null,
    template_id uuid not null,
    source      text not null,
    kind        text not null,
    day         date not null,
    count       bigint not null default 0,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_referrals_source check (char_length(source) between 1 and 200),
    constraint ck_referrals_kind check (kind in ('view', 'install', 'share')),
    constraint ck_referrals_count check (count >= 0),
    constraint fk_referrals_template_id
        foreign key (team_id, template_id) references templates (team_id, id) on delete cascade,
    constraint uq_referrals_team_id_template_id_day_kind_source unique (team_id, template_id, day, kind, source)
);

create trigger trg_referrals_updated_on before update on referrals
    for each row execute function touch_updated_on();

call lock_to_team('templates');
call lock_to_team('template_versions');
call lock_to_team('installations');
call lock_to_team('submissions');
call lock_to_team('moderation_events');
call lock_to_team('referrals');
grant select, insert, update, delete on profiles to heddle_functions;

-- What the gallery shows may be read by whoever looks.
create policy gallery on templates for select using (published_at is not null);
create policy gallery on template_versions for select using (published_at is not null);
