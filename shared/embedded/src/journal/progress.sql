-- Progress of runs in one statement: one round trip, one transaction, one flush. Parameters are columns; $1 to $8 are the commits,
-- $9 to $16 the messages, $18 the messages that were handled.
with committed as (
    update embedded.runs
    set revision = next.revision, commit_id = next.commit_id, status = next.status, check_at = next.check_at, state = next.state
    from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[])
        as next (id, team_id, revision, commit_id, status, check_at, state)
    where runs.id = next.id and runs.team_id = next.team_id and runs.revision = next.revision - 1
    returning runs.id
),
settled as (
    insert into embedded.steps (run_id, revision, records)
    select run_id, revision, records from unnest($1::uuid[], $3::bigint[], $8::text[]) as step (run_id, revision, records)
    where records is not null and run_id in (select id from committed)
),
sent as (
    insert into embedded.messages (id, team_id, run_id, node, sent_on, visible_on, receive_count, holder, priority)
    select id, team_id, run_id, node, now(), now() + make_interval(secs => hidden_s), receive_count, holder, priority
    from unnest($9::uuid[], $10::uuid[], $11::uuid[], $12::text[], $13::float8[], $14::integer[], $15::integer[], $16::smallint[])
        as message (id, team_id, run_id, node, hidden_s, receive_count, holder, priority)
),
handled as (
    delete from embedded.messages where id = any($18::uuid[])
)
select array(select id from committed) as "committed!"
where not $17::boolean or pg_notify('heddle_steps', '')::text is not null
