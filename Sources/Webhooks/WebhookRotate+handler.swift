internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.rotate`: the present secret signs beside the new one for a day. One before it signs no more.
    static func webhookRotate() -> any JobHandler {
        SingleJobHandler(WebhookRotate.self) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            _ = try database.query(RotateSQL.forget, webhook.id)
            let end = try database.query(RotateSQL.end, webhook.id).only(Timestamp.self)
            let secret = WebhookSecret.make()
            _ = try database.query(SecretSQL.add, webhook.id, secret.bytes)
            return Reply(
                ["webhook": .string(webhook.id), "earlier_ends_at": .string(end.rfc3339)],
                onceOnly: ["secret": .string(secret.text)])
        }
    }
}

enum RotateSQL {
    static let forget: Statement = "delete from tenantry.webhook_secrets where webhook = $1 and ends_at is not null"
    static let end: Statement = """
        update tenantry.webhook_secrets set ends_at = now() + interval '1 day' where webhook = $1 returning ends_at
        """
}
