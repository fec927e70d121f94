-- $1 how many · $2 most receives · $3 visibility in seconds · $4 the holder · $5 whether all classes count as one
with recursive teams (priority, team_id) as (
    -- Each team that has something due in a class, by one look into the index for each.
    (select priority, team_id from embedded.messages where visible_on <= now() order by priority, team_id limit 1)
    union all
    select next.priority, next.team_id
    from teams, lateral (
        select priority, team_id from embedded.messages
        where (priority, team_id) > (teams.priority, teams.team_id) and visible_on <= now()
        order by priority, team_id
        limit 1
    ) as next
),
due as (
    select oldest.id, teams.team_id, oldest.visible_on, case when $5 then 0 else teams.priority end as class
    from teams, lateral (
        select id, visible_on from embedded.messages
        where priority = teams.priority and team_id = teams.team_id and visible_on <= now()
        order by visible_on
        limit $1
    ) as oldest
),
waiting as (
    select id, class, visible_on, row_number() over (partition by class, team_id order by visible_on) as turn from due
),
taken as (
    select messages.id, messages.receive_count
    from embedded.messages join waiting using (id)
    where messages.visible_on <= now()
    order by waiting.class, waiting.turn, waiting.visible_on
    limit $1
    for update of messages skip locked
),
died as (
    delete from embedded.messages
    using taken
    where messages.id = taken.id and taken.receive_count >= $2
    returning messages.id, messages.team_id, messages.run_id, messages.node, messages.sent_on, messages.receive_count, messages.priority
),
buried as (
    insert into embedded.dead_letters (id, team_id, run_id, node, sent_on, receive_count, priority) select * from died
)
update embedded.messages
set visible_on = now() + make_interval(secs => $3), receive_count = messages.receive_count + 1, holder = $4
from taken
where messages.id = taken.id and taken.receive_count < $2
returning messages.id, messages.team_id, messages.run_id, messages.node, messages.receive_count, messages.priority
