-- What a version says of its runs as a whole, and the versions of other workflows that it was published with.

alter table workflow_versions
    add column settings jsonb not null default '{}',
    add column uses jsonb not null default '[]',
    add constraint ck_workflow_versions_settings check (jsonb_typeof(settings) = 'object'),
    add constraint ck_workflow_versions_uses check (jsonb_typeof(uses) = 'array');
