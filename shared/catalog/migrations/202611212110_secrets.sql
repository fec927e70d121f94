-- Credentials of teams (SCR-01): AES-256-GCM under a data key of the team, which is wrapped by the master key of the deployment.

create table team_data_keys (
    id            uuid primary key,
    team_id       uuid not null,
    -- The data key, encrypted, with its nonce ahead of it.
    wrapped_key   bytea not null,
    -- Which master key it is wrapped by. A new master key re-wraps it, and no secret has to be touched.
    master_key_id text not null,
    created_on    timestamptz not null default now(),
    updated_on    timestamptz not null default now(),
    constraint ck_team_data_keys_wrapped_key check (octet_length(wrapped_key) between 32 and 1024),
    constraint ck_team_data_keys_master_key_id check (char_length(master_key_id) between 1 and 200),
    constraint fk_team_data_keys_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_team_data_keys_team_id_id unique (team_id, id)
);

create index idx_team_data_keys_master_key_id on team_data_keys (master_key_id);

create trigger trg_team_data_keys_updated_on before update on team_data_keys
    for each row execute function touch_updated_on();

create table secrets (
    id         uuid primary key,
    team_id    uuid not null,
    name       text not null,
    -- The highest is the one in use; those before it stay until the secret is deleted.
    version    integer not null,
    ciphertext bytea not null,
    nonce      bytea not null,
    key_id     uuid not null,
    last4      text not null,
    created_on timestamptz not null default now(),
    updated_on timestamptz not null default now(),
    constraint ck_secrets_name check (name ~ '^[A-Za-z][A-Za-z0-9_]{0,63}$'),
    constraint ck_secrets_version check (version > 0),
    -- With the 16 bytes of its tag.
    constraint ck_secrets_ciphertext check (octet_length(ciphertext) between 16 and 65552),
    constraint ck_secrets_nonce check (octet_length(nonce) = 12),
    constraint ck_secrets_last4 check (char_length(last4) <= 4),
    constraint fk_secrets_team_id foreign key (team_id) references teams (id) on delete cascade,
    -- Not on delete cascade: a key that secrets are encrypted with can't be lost.
    constraint fk_secrets_key_id foreign key (team_id, key_id) references team_data_keys (team_id, id),
    constraint uq_secrets_team_id_name_version unique (team_id, name, version),
    -- GCM falls apart where a nonce repeats under one key.
    constraint uq_secrets_key_id_nonce unique (key_id, nonce)
);

create trigger trg_secrets_updated_on before update on secrets
    for each row execute function touch_updated_on();
