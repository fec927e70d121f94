-- Calls that are under way of teams that may have only so many at a time: who has how many, and until when.

create table embedded.step_slots (
    team_id uuid  not null,
    book    jsonb not null default '{"holders": {}}',
    constraint pk_step_slots primary key (team_id)
);
