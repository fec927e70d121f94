-- One-time codes that wait for an answer. Unlogged: one that is lost with the server is asked for again.

create unlogged table embedded.challenges (
    key        text not null,
    id         uuid not null,
    -- What the code has to come to under a key that is not here.
    mac        bytea not null,
    purpose    text not null,
    tries      bigint not null default 0,
    expires_at timestamptz not null,
    ip         text,
    user_agent text,
    constraint pk_challenges primary key (key)
);

create index idx_challenges_expires_at on embedded.challenges (expires_at);
