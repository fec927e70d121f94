-- What the migration before claimed holds for rows that were there already.

alter table workflows validate constraint ck_workflows_edited_by;
