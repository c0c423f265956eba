-- As in a tenant's documents: a template's document counts there by the larger of its source and its text.

alter table tenantry.template_documents add column text_bytes bigint not null default 0;
