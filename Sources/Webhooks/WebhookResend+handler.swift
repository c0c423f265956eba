internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.resend`: one delivery, in whatever state, is begun anew.
    static func webhookResend() -> any JobHandler {
        SingleJobHandler(WebhookResend.self) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            try webhook.requireEnabled()
            guard let id = Int64(payload.delivery), try database.query(ResendSQL.resend, webhook.id, id).count == 1 else {
                throw Rejection.invalid("/delivery", "names no delivery of webhook \(webhook.id)")
            }
            return Reply(["webhook": .string(webhook.id), "delivery": .string(payload.delivery)])
        }
    }

    /// `webhook.recover`: all that failed since a time, or the first of them.
    static func webhookRecover() -> any JobHandler {
        SingleJobHandler(WebhookRecover.self) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            try webhook.requireEnabled()
            let since = Timestamp(payload.since)
            let count = try database.query(ResendSQL.recover, webhook.id, since, ResendSQL.mostRecovered).only(Int64.self)
            let isMore = try database.query(ResendSQL.isMore, webhook.id, since).only(Bool.self)
            return Reply(["webhook": .string(webhook.id), "recovered": .int(count), "more": .bool(isMore)])
        }
    }
}

enum ResendSQL {
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
    static let isMore: Statement = """
        select exists (
            select from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = $1 and d.state = 'failed' and e.created_at >= $2
        )
        """
}
