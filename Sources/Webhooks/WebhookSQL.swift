internal import Postgres

/// What the kinds `webhook.*` do in the database.
enum WebhookSQL {
    static let holdAccount: Statement = "select 1 from tenantry.accounts where slug = $1 for no key update"
    static let count: Statement = "select count(*) from tenantry.webhooks where account = $1"
    static let create: Statement = """
        insert into tenantry.webhooks (id, account, tenant, url, events, expression, description) values ($1, $2, $3, $4, $5, $6, $7)
        """
    static let addSecret: Statement = "insert into tenantry.webhook_secrets (webhook, secret) values ($1, $2)"
    static let update: Statement = """
        update tenantry.webhooks
        set url = coalesce($2, url), events = coalesce($3, events), expression = coalesce($4, expression),
            description = case when $5 then $6 else description end, updated_at = now()
        where id = $1
        """
    static let enable: Statement = """
        update tenantry.webhooks set state = 'enabled', reason = null, failing_since = null where id = $1 and state = 'disabled'
        """
    static let remove: Statement = "delete from tenantry.webhooks where id = $1"
    static let forgetSecrets: Statement = "delete from tenantry.webhook_secrets where webhook = $1 and ends_at is not null"
    static let endSecret: Statement = """
        update tenantry.webhook_secrets set ends_at = now() + interval '1 day' where webhook = $1 returning ends_at
        """
    /// A job whose answer is not kept any more may come again: then the event is the same, and so is the delivery.
    static let writeTest: Statement = """
        with event as (
            insert into tenantry.webhook_events (id, account, tenant, name, content_type, body)
            values ($1::text::uuid, $2, $3, 'webhook.test', 'application/json', $4) on conflict do nothing
        )
        insert into tenantry.webhook_deliveries as d (webhook, event) values ($5, $1::text::uuid)
        on conflict (event, webhook) do update set state = d.state
        returning id
        """
    /// Of one job.
    static let mostRecovered: Int64 = 10_000

    static let resend: Statement = """
        update tenantry.webhook_deliveries set state = 'pending', attempt = 0, next_at = null where webhook = $1 and id = $2 returning id
        """
    static let recover: Statement = """
        with recovered as (
            update tenantry.webhook_deliveries set state = 'pending', attempt = 0, next_at = null
            where id in (
                select d.id from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
                where d.webhook = $1 and d.state = 'failed' and e.created_at >= $2 order by d.id limit $3
            )
            returning id
        )
        select count(*) from recovered
        """
    static let isMoreToRecover: Statement = """
        select exists (
            select from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = $1 and d.state = 'failed' and e.created_at >= $2
        )
        """
}
