-- Whether a run has left for an export, after which it may be deleted.

alter table embedded.runs add column is_exported boolean not null default false;
