-- What a document's text came to before it was split into chunks: a few bytes can yield many. A document counts by the larger of its source
-- and its text; those that were there before count by their source, as they did.

alter table {schema}.documents add column text_bytes bigint not null default 0;
