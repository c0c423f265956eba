-- How many jobs a minute an account, or a tenant with a plan of its own, may send. Null: as many as it likes.
alter table tenantry.plans add column jobs_per_minute bigint check (jobs_per_minute > 0);

-- What each may still send now: a bucket that fills at its rate and holds a minute's worth. Lanes draw on it once a batch, apart from the jobs'
-- transactions, so a batch that is repeated after a crash draws twice. Not worth the log: a server that crashes begins with full buckets.
create unlogged table tenantry.job_rates (
    owner    text primary key,                       -- an account's slug, or account/tenant
    tokens   double precision not null,
    drawn_at timestamptz not null default clock_timestamp()
);

alter table tenantry.workers add column deferred bigint not null default 0;
