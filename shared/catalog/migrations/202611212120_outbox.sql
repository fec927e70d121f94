-- What has to be told to the outside once its transaction is committed, such as a schedule to EventBridge (TRG-03).

create table outbox (
    id              uuid primary key,
    team_id         uuid not null,
    aggregate       text not null,
    aggregate_id    uuid not null,
    kind            text not null,
    payload         jsonb not null default '{}',
    attempts        integer not null default 0,
    next_attempt_at timestamptz not null default now(),
    published_at    timestamptz,
    last_error      text,
    created_on      timestamptz not null default now(),
    updated_on      timestamptz not null default now(),
    constraint ck_outbox_aggregate check (char_length(aggregate) between 1 and 100),
    constraint ck_outbox_kind check (char_length(kind) between 1 and 100),
    constraint ck_outbox_payload check (jsonb_typeof(payload) = 'object'),
    constraint ck_outbox_attempts check (attempts >= 0)
    -- No reference to the team: that a schedule is to go has to be told after its team has gone.
);

-- Only what is still to be told; in the order of the ids where one aggregate has several.
create index idx_outbox_next_attempt_at on outbox (next_attempt_at) where published_at is null;
create index idx_outbox_aggregate_id on outbox (aggregate_id, id) where published_at is null;
create index idx_outbox_team_id on outbox (team_id);

create trigger trg_outbox_updated_on before update on outbox
    for each row execute function touch_updated_on();
