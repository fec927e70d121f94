-- $1 how many · $2 most receives · $3 visibility in seconds · $4 the holder
with recursive teams (team_id) as (
    -- Each team that has something due, by one look into the index for each.
    (select team_id from embedded.messages where visible_on <= now() order by team_id limit 1)
    union all
    select next.team_id
    from teams, lateral (
        select team_id from embedded.messages
        where team_id > teams.team_id and visible_on <= now()
        order by team_id
        limit 1
    ) as next
),
waiting as (
    select oldest.id, oldest.visible_on, row_number() over (partition by teams.team_id order by oldest.visible_on) as turn
    from teams, lateral (
        select id, visible_on from embedded.messages
        where team_id = teams.team_id and visible_on <= now()
        order by visible_on
        limit $1
    ) as oldest
),
taken as (
    select messages.id, messages.receive_count
    from embedded.messages join waiting using (id)
    where messages.visible_on <= now()
    order by waiting.turn, waiting.visible_on
    limit $1
    for update of messages skip locked
),
died as (
    delete from embedded.messages
    using taken
    where messages.id = taken.id and taken.receive_count >= $2
    returning messages.id, messages.team_id, messages.run_id, messages.node, messages.sent_on, messages.receive_count
),
buried as (
    insert into embedded.dead_letters (id, team_id, run_id, node, sent_on, receive_count) select * from died
)
update embedded.messages
set visible_on = now() + make_interval(secs => $3), receive_count = messages.receive_count + 1, holder = $4
from taken
where messages.id = taken.id and taken.receive_count < $2
returning messages.id, messages.team_id, messages.run_id, messages.node, messages.receive_count
