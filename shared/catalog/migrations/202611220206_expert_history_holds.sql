-- What the migration before claimed holds for rows that were there already.

alter table experts validate constraint ck_experts_revision;
alter table experts validate constraint ck_experts_history_of;
alter table experts validate constraint fk_experts_history_of;
