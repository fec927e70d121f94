-- Timers, and counters that forget: what EventBridge Scheduler and DynamoDB hold on AWS.

create schema if not exists embedded;

create table embedded.timers (
    name        text primary key,
    -- The occurrence that is delivered next.
    due_on      timestamptz not null,
    -- How it recurs; null for a timer that fires once.
    cron        text,
    time_zone   text,
    -- JSON as it was written.
    message     text not null,
    -- When it is handed over: due_on, and later after attempts that failed.
    next_try_on timestamptz not null,
    failures    integer not null default 0,
    constraint ck_timers_time_zone check ((cron is null) = (time_zone is null))
);

create index idx_timers_next_try_on on embedded.timers (next_try_on);

-- Unlogged: a count that is lost with the server costs no more than a limit that starts anew.
create unlogged table embedded.counters (
    key      text not null,
    window_s bigint not null,
    ends_on  timestamptz not null,
    count    bigint not null,
    constraint pk_counters primary key (key, window_s, ends_on)
);

create index idx_counters_ends_on on embedded.counters (ends_on);
