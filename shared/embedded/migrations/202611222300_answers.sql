-- Answers that are given again when the same request comes again, by the key that the client gave to it.

create table embedded.answers (
    key        text not null,
    -- A digest of the request.
    request    bytea not null,
    -- Null while it is under way.
    status     integer,
    headers    jsonb,
    body       bytea,
    expires_at timestamptz not null,
    constraint pk_answers primary key (key)
);

create index idx_answers_expires_at on embedded.answers (expires_at);
