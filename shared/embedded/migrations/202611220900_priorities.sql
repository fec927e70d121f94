-- Classes of messages: 0 goes before 1, and 1 before 2. Code that knows none of it sends 1.

alter table embedded.messages add column priority smallint not null default 1;
alter table embedded.dead_letters add column priority smallint not null default 1;

-- Whose turn it is: the oldest message of each team in each class.
create index idx_messages_priority_team_id_visible_on on embedded.messages (priority, team_id, visible_on);
drop index embedded.idx_messages_team_id_visible_on;
