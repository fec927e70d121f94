-- From here on a service starts only the workflows that it is attached to (TRG-01, KEY-11). Until now every service of a team could start each
-- that says `is_api`, and whoever relies on that goes on: teams take away what they do not want.
insert into workflow_services (id, team_id, workflow_id, service_id)
select gen_random_uuid(), w.team_id, w.id, s.id
from workflows w join services s on s.team_id = w.team_id
where w.is_api
on conflict (team_id, workflow_id, service_id) do nothing;
