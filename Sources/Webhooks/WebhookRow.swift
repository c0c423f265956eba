internal import Contract
internal import Jobs
internal import Postgres

/// A webhook that a job works on: it stays as it is until the transaction ends.
struct WebhookRow {
    let id: String
    let account: String
    /// nil: it is the account's.
    let tenant: String?
    private let stateName: String

    var isEnabled: Bool { stateName == WebhookState.enabled.rawValue }

    /// Locks it, within the job's account and, where the header names one, tenant.
    ///
    /// - Throws: `Rejection` (`invalid_payload` at `/webhook`) where there is none; `PostgresError`.
    static func hold(_ id: String, for job: Job, on database: inout Transaction) throws -> WebhookRow {
        let domain = try Domain(job, on: &database)
        let found = try database.query(SQL.hold, id, domain.account, domain.tenant).decode(WebhookRow.init)
        guard let row = found.first else { throw Rejection.invalid("/webhook", "names no webhook of \(domain)") }
        return row
    }

    /// - Throws: `Rejection` (`conflict`) where it is disabled: nothing is sent then.
    func requireEnabled() throws(Rejection) {
        guard isEnabled else {
            throw Rejection(.conflict, "webhook \(id) is disabled: enable it first (webhook.update with state enabled)")
        }
    }

    enum SQL {
        static let hold: Statement = """
            select id, account, tenant, state from tenantry.webhooks
            where id = $1 and account = $2 and ($3::text is null or tenant = $3) for no key update
            """
    }
}
