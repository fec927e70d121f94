-- What telling the outbox needs: an order of those who tell, and who of all teams has something to tell.

-- Drawn when entries are taken. Outlives a move to another server, as the number of a transaction would not.
create sequence outbox_order;
grant usage on sequence outbox_order to heddle_functions;

-- Who has entries of which kind that are due; for maintenance.
create function outbox_due(most integer) returns table (team_id uuid, kind text)
    language sql stable security definer
begin atomic
    select o.team_id, o.kind from outbox o
    where o.published_at is null and o.next_attempt_at <= now()
    group by o.team_id, o.kind order by min(o.next_attempt_at) limit most;
end;

revoke execute on function outbox_due from public;
grant execute on function outbox_due to heddle_functions;
