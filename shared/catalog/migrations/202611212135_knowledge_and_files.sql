-- What experts look things up in (RAG-01 … RAG-03), and uploads (TOL-05).

create table files (
    id               uuid primary key,
    team_id          uuid not null,
    name             text not null,
    mime_type        text not null,
    size_bytes       bigint not null,
    -- Where it lies in the bucket or folder: files/<team>/<id>.
    storage_key      text not null,
    -- Known when the upload has ended.
    sha256           bytea,
    status           text not null default 'pending',
    uploaded_by_kind text not null,
    uploaded_by_id   uuid not null,
    metadata         jsonb not null default '{}',
    created_on       timestamptz not null default now(),
    updated_on       timestamptz not null default now(),
    constraint ck_files_name check (char_length(name) between 1 and 255),
    constraint ck_files_mime_type check (char_length(mime_type) between 1 and 200),
    constraint ck_files_size_bytes check (size_bytes >= 0),
    constraint ck_files_sha256 check (octet_length(sha256) = 32),
    constraint ck_files_status check (status in ('pending', 'stored') and (status = 'pending' or sha256 is not null)),
    constraint ck_files_uploaded_by_kind check (uploaded_by_kind in ('service', 'member')),
    constraint ck_files_metadata check (jsonb_typeof(metadata) = 'object'),
    constraint fk_files_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_files_storage_key unique (storage_key),
    constraint uq_files_team_id_id unique (team_id, id)
);

create trigger trg_files_updated_on before update on files
    for each row execute function touch_updated_on();

create table collections (
    id              uuid primary key,
    team_id         uuid not null,
    name            text not null,
    description     text not null default '',
    -- Which model makes its vectors, and how long these are: vectors of two models can't be compared.
    embedding_model text not null,
    dimensions      integer not null,
    settings        jsonb not null default '{}',
    created_on      timestamptz not null default now(),
    updated_on      timestamptz not null default now(),
    constraint ck_collections_name check (char_length(name) between 1 and 200),
    constraint ck_collections_embedding_model check (char_length(embedding_model) between 1 and 200),
    constraint ck_collections_dimensions check (dimensions between 1 and 16000),
    constraint ck_collections_settings check (jsonb_typeof(settings) = 'object'),
    constraint fk_collections_team_id foreign key (team_id) references teams (id) on delete cascade,
    constraint uq_collections_team_id_name unique (team_id, name),
    constraint uq_collections_team_id_id unique (team_id, id)
);

create trigger trg_collections_updated_on before update on collections
    for each row execute function touch_updated_on();

create table documents (
    id             uuid primary key,
    team_id        uuid not null,
    collection_id  uuid not null,
    name           text not null,
    -- Where it came from: an upload, or an address.
    file_id        uuid,
    source_url     text,
    content_sha256 bytea,
    status         text not null default 'pending',
    error          text,
    metadata       jsonb not null default '{}',
    created_on     timestamptz not null default now(),
    updated_on     timestamptz not null default now(),
    constraint ck_documents_name check (char_length(name) between 1 and 500),
    constraint ck_documents_content_sha256 check (octet_length(content_sha256) = 32),
    constraint ck_documents_status check (status in ('pending', 'ready', 'failed')),
    constraint ck_documents_error check ((status = 'failed') = (error is not null)),
    constraint ck_documents_metadata check (jsonb_typeof(metadata) = 'object'),
    constraint fk_documents_collection_id
        foreign key (team_id, collection_id) references collections (team_id, id) on delete cascade,
    constraint fk_documents_file_id foreign key (team_id, file_id) references files (team_id, id)
        on delete set null (file_id),
    constraint uq_documents_team_id_collection_id_id unique (team_id, collection_id, id)
);

create index idx_documents_team_id_file_id on documents (team_id, file_id);

create trigger trg_documents_updated_on before update on documents
    for each row execute function touch_updated_on();

create table chunks (
    id            uuid primary key,
    team_id       uuid not null,
    collection_id uuid not null,
    document_id   uuid not null,
    ordinal       integer not null,
    text          text not null,
    -- The vector, in a type that every Postgres has (docs/decisions/0012-vectors-are-arrays.md).
    embedding     real[],
    metadata      jsonb not null default '{}',
    created_on    timestamptz not null default now(),
    updated_on    timestamptz not null default now(),
    constraint ck_chunks_ordinal check (ordinal >= 0),
    constraint ck_chunks_text check (char_length(text) between 1 and 100000),
    constraint ck_chunks_embedding check (
        array_ndims(embedding) = 1 and cardinality(embedding) <= 16000 and array_position(embedding, null) is null
    ),
    constraint ck_chunks_metadata check (jsonb_typeof(metadata) = 'object'),
    constraint fk_chunks_document_id foreign key (team_id, collection_id, document_id)
        references documents (team_id, collection_id, id) on delete cascade,
    constraint uq_chunks_document_id_ordinal unique (document_id, ordinal)
);

create index idx_chunks_team_id_collection_id on chunks (team_id, collection_id);
create index idx_chunks_metadata on chunks using gin (metadata jsonb_path_ops);

create trigger trg_chunks_updated_on before update on chunks
    for each row execute function touch_updated_on();

-- Where pgvector is at hand, near vectors are found by an index; a length of vectors each, since an index has one.
do $$
begin
    if exists (select from pg_available_extensions where name = 'vector') then
        create extension if not exists vector;
        create index idx_chunks_embedding_1536 on chunks
            using hnsw ((embedding::vector(1536)) vector_cosine_ops) where cardinality(embedding) = 1536;
    end if;
-- An installed one that this login may not bring in is as good as none.
exception when insufficient_privilege then null;
end
$$;

call lock_to_team('files');
call lock_to_team('collections');
call lock_to_team('documents');
call lock_to_team('chunks');
