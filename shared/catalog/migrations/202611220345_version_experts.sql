-- The experts that a version was published with, as they were then: edits change no version (WF-07, EXP-02).

alter table workflow_versions
    add column experts jsonb not null default '[]',
    add constraint ck_workflow_versions_experts check (jsonb_typeof(experts) = 'array') not valid;
