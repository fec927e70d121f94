-- What teams use (USG-01 … USG-03), what it came to (USG-05, USG-06), and what they may try (TEN-15).
--
-- Workflows and runs are named and not referred to: what was used stays used when they are gone.

create table usage_events (
    id          uuid primary key,
    team_id     uuid not null,
    workflow_id uuid,
    run_id      uuid,
    kind        text not null,
    amount      numeric(20, 6) not null,
    -- What the event is of, such as run, node and attempt: it may be told twice and is counted once.
    source      text not null,
    occurred_at timestamptz not null,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_usage_events_kind check (char_length(kind) between 1 and 100),
    constraint ck_usage_events_amount check (amount >= 0),
    constraint ck_usage_events_source check (char_length(source) between 1 and 500),
    constraint fk_usage_events_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_usage_events_team_id_kind_source unique (team_id, kind, source)
);

create index idx_usage_events_team_id_occurred_at on usage_events (team_id, occurred_at);

create trigger trg_usage_events_updated_on before update on usage_events
    for each row execute function touch_updated_on();

create table usage_daily (
    id          uuid primary key,
    team_id     uuid not null,
    -- None: of the team as a whole.
    workflow_id uuid,
    day         date not null,
    kind        text not null,
    amount      numeric(20, 6) not null,
    created_on  timestamptz not null default now(),
    updated_on  timestamptz not null default now(),
    constraint ck_usage_daily_kind check (char_length(kind) between 1 and 100),
    constraint ck_usage_daily_amount check (amount >= 0),
    constraint fk_usage_daily_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_usage_daily_team_id_day_kind_workflow_id
        unique nulls not distinct (team_id, day, kind, workflow_id)
);

create trigger trg_usage_daily_updated_on before update on usage_daily
    for each row execute function touch_updated_on();

create table analytics_metrics (
    id           uuid primary key,
    team_id      uuid not null,
    workflow_id  uuid,
    metric_type  text not null,
    metric_value numeric(15, 4) not null,
    dimensions   jsonb not null default '{}',
    measured_at  timestamptz not null,
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint ck_analytics_metrics_metric_type check (char_length(metric_type) between 1 and 100),
    constraint ck_analytics_metrics_dimensions check (jsonb_typeof(dimensions) = 'object'),
    constraint fk_analytics_metrics_team_id foreign key (team_id) references teams (id) on delete cascade
);

create index idx_analytics_metrics_team_id_metric_type_measured_at on analytics_metrics (team_id, metric_type, measured_at);
create index idx_analytics_metrics_team_id_workflow_id_measured_at on analytics_metrics (team_id, workflow_id, measured_at);

create trigger trg_analytics_metrics_updated_on before update on analytics_metrics
    for each row execute function touch_updated_on();

create table analytics_aggregates (
    id           uuid primary key,
    team_id      uuid not null,
    -- None: of the team as a whole.
    workflow_id  uuid,
    period       text not null,
    period_start timestamptz not null,
    metrics      jsonb not null,
    created_on   timestamptz not null default now(),
    updated_on   timestamptz not null default now(),
    constraint ck_analytics_aggregates_period check (period in ('hourly', 'daily', 'weekly', 'monthly')),
    constraint ck_analytics_aggregates_metrics check (jsonb_typeof(metrics) = 'object'),
    constraint fk_analytics_aggregates_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_analytics_aggregates_team_id_workflow_id_period_period_start
        unique nulls not distinct (team_id, workflow_id, period, period_start)
);

create trigger trg_analytics_aggregates_updated_on before update on analytics_aggregates
    for each row execute function touch_updated_on();

-- Set by whoever operates Heddle; read by the functions.
create table feature_flags (
    id         uuid primary key,
    -- None: for every team that has no word of its own.
    team_id    uuid,
    key        text not null,
    is_enabled boolean not null,
    created_on timestamptz not null default now(),
    updated_on timestamptz not null default now(),
    constraint ck_feature_flags_key check (key ~ '^[a-z][a-z0-9_]{0,99}$'),
    constraint fk_feature_flags_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_feature_flags_team_id_key unique nulls not distinct (team_id, key)
);

create trigger trg_feature_flags_updated_on before update on feature_flags
    for each row execute function touch_updated_on();

call lock_to_team('usage_events');
call lock_to_team('usage_daily');
call lock_to_team('analytics_metrics');
call lock_to_team('analytics_aggregates');

alter table feature_flags enable row level security;
create policy team on feature_flags using (team_id is null or team_id = current_team());
grant select on feature_flags to heddle_functions;
