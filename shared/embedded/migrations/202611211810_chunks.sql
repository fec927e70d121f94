-- Runs that work on a chunk of another run's items stand beside the others, and lists leave them out.

alter table embedded.runs add column is_listed boolean not null default true;
