-- A job's id is unique among the jobs of its account's credentials, or among those of one tenant's; and it stands for one payload.
alter table tenantry.inbox
    -- The tenant that the credential is limited to; '' for none.
    add column scope text not null default '',
    -- SHA-256 of the body; null for jobs that were done before there was this column.
    add column body_digest bytea;
alter table tenantry.inbox drop constraint inbox_pkey;
alter table tenantry.inbox add primary key (account, scope, job_id);
