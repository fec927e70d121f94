-- Runs of teams that may have only so many under way at a time: those that are, and those that wait.

create table embedded.admissions (
    team_id   uuid not null,
    -- A UUIDv7: its order is that of acceptance.
    run_id    uuid not null,
    is_inside boolean not null,
    constraint pk_admissions primary key (team_id, run_id)
);
