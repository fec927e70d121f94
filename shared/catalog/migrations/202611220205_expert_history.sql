-- Experts count their edits, and one that is in use keeps what it was before each (EXP-02).

alter table experts
    -- Counts the edits; what ETag shows and If-Match compares.
    add column revision bigint not null default 1,
    -- The expert that this is an earlier state of. Such a row begins when the state did (created_on) and ended with it (updated_on).
    add column history_of uuid,
    add constraint ck_experts_revision check (revision > 0) not valid,
    add constraint ck_experts_history_of
        check (history_of is null or (status = 'historical' and history_of <> id)) not valid,
    add constraint fk_experts_history_of
        foreign key (team_id, history_of) references experts (team_id, id) on delete cascade not valid;

create index idx_experts_team_id_history_of on experts (team_id, history_of, revision);
