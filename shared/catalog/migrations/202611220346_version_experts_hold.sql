-- What the migration before claimed holds for rows that were there already.

alter table workflow_versions validate constraint ck_workflow_versions_experts;
