internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.rotate`: the present secret signs beside the new one for a day. One before it signs no more.
    static func webhookRotate() -> any JobHandler {
        SingleJobHandler(WebhookRotate.self) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            _ = try database.query(WebhookSQL.forgetSecrets, webhook.id)
            let end = try database.query(WebhookSQL.endSecret, webhook.id).only(Timestamp.self)
            let secret = WebhookSecret.make()
            _ = try database.query(WebhookSQL.addSecret, webhook.id, secret.bytes)
            return Reply(
                ["webhook": .string(webhook.id), "earlier_ends_at": .string(end.rfc3339)],
                onceOnly: ["secret": .string(secret.text)])
        }
    }
}
