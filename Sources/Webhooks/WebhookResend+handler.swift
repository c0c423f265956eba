internal import Contract
internal import Jobs
internal import Postgres

extension Webhooks {
    /// `webhook.resend`: one delivery, in whatever state, is begun anew.
    static func webhookResend() -> any JobHandler {
        SingleJobHandler(WebhookResend.self) { payload, job, database in
            let webhook = try WebhookRow.hold(payload.webhook, for: job, on: &database)
            try webhook.requireEnabled()
            guard let id = Int64(payload.delivery), try database.query(WebhookSQL.resend, webhook.id, id).count == 1 else {
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
            let count = try database.query(WebhookSQL.recover, webhook.id, since, WebhookSQL.mostRecovered).only(Int64.self)
            let isMore = try database.query(WebhookSQL.isMoreToRecover, webhook.id, since).only(Bool.self)
            return Reply(["webhook": .string(webhook.id), "recovered": .int(count), "more": .bool(isMore)])
        }
    }
}
