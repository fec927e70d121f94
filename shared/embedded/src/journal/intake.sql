-- New runs in one statement: one round trip, one transaction, one flush. Parameters are columns; $1 to $6 are the idempotency keys,
-- $7 to $17 and $24 the runs, $18 to $22 their first messages.
with keys as (
    insert into embedded.idempotency_keys as known (team_id, key, request, run_id, used_on, expires_on)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[], $6::timestamptz[])
    on conflict (team_id, key) do update
    set request = excluded.request, run_id = excluded.run_id, used_on = excluded.used_on, expires_on = excluded.expires_on
    where known.expires_on <= excluded.used_on
    returning run_id
),
created as (
    insert into embedded.runs (id, team_id, workflow_id, created_on, status, revision, commit_id, check_at, state, inputs, is_listed)
    select id, team_id, workflow_id, created_on, status, revision, commit_id, check_at, state, inputs, is_listed
    from unnest(
        $7::uuid[], $8::uuid[], $9::uuid[], $10::timestamptz[], $11::text[], $12::bigint[], $13::uuid[], $14::timestamptz[],
        $15::text[], $16::text[], $17::boolean[], $24::boolean[]
    ) as run (id, team_id, workflow_id, created_on, status, revision, commit_id, check_at, state, inputs, has_key, is_listed)
    where not has_key or id in (select run_id from keys)
    on conflict (id) do nothing
    returning id
),
announced as (
    insert into embedded.messages (id, team_id, run_id, node, sent_on, visible_on, receive_count, holder, priority)
    select id, team_id, run_id, null, now(), now() + make_interval(secs => hidden_s), receive_count, holder, priority
    from unnest($18::uuid[], $8::uuid[], $7::uuid[], $19::float8[], $20::integer[], $21::integer[], $22::smallint[])
        as message (id, team_id, run_id, hidden_s, receive_count, holder, priority)
    where run_id in (select id from created)
)
select array(select id from created) as "created!"
where not $23::boolean or pg_notify('heddle_steps', '')::text is not null
