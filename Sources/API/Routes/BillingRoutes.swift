internal import Billing
internal import Contract
internal import HTTPTypes
internal import Jobs
internal import Metering
internal import NIOCore
internal import Postgres
internal import Usage

/// Usage, alerts, invoices, and the audit log.
enum BillingRoutes {
    static let all: [Route] = [
        usage("/v1/usage", "The pool's usage; of a tenant's credential, the tenant's."),
        usage("/v1/tenants/{slug}/usage", "A tenant's usage."), alerts, invoices, InvoicePage.route, audit,
    ]

    enum Bucket: String, ClosedWord {
        case hour, day, month

        var bucket: UsageReport.Bucket {
            switch self {
            case .hour: .hour
            case .day: .day
            case .month: .month
            }
        }
    }

    private static func usage(_ path: String, _ summary: String) -> Route {
        Route.read(
            path, .reading(.usage), schema: UsageView.representation.schema, summary,
            query: [
                .text("account", "For operators: whose pool.", example: "acme"),
                .month("period", "The month in which the period begins; the present one if not said."),
                .word("by", Bucket.self, "The history's buckets; day if not said."),
                QueryParameter.word("metric", Metric.self, "Only this one; may be repeated.").repeated,
            ], otherTypes: [Form.csv.rawValue]
        ) { call in
            let caller = try call.caller
            let tenant = caller.tenant?.slug ?? caller.principal.tenant
            guard let account = try caller.tenant?.account ?? TenantRoutes.account(call) else {
                throw Problem.parameter("account", "is missing: an operator says whose")
            }
            let month = try call.query.month("period")
            let bucket = (try call.query.word("by", Bucket.self) ?? .day).bucket
            let metrics = try call.query.all("metric").map { text throws(Problem) in
                guard let metric = Metric(rawValue: text) else { throw .parameter("metric", "must be one of \(Metric.words)") }
                return metric
            }
            let seesPool = caller.principal.tenant == nil && caller.principal.role != .token
            let view = try await call.database { database, _ in
                try database.transaction(mode: UsageView.transactionMode) { database in
                    try UsageView.read(
                        account: account, tenant: tenant, month: month, by: bucket, metrics: metrics, withShares: seesPool,
                        on: &database)
                }
            }
            guard let view else {
                throw caller.account == nil ? Problem.noAccount(account) : Problem.notFound("there is no usage")
            }
            guard call.form == .csv else { return .json(.ok, UsageView.representation.json(view)) }
            let rows = UsageView.HistoryEntry.representation
            return .list(
                Listing(rows: view.history.map { rows.json($0) }, columns: rows.members.map(\.name), next: nil))
        }
    }

    private static let times: [QueryParameter] = [
        .instant("from", "At this time or later.", example: "2026-11-01T00:00:00Z"),
        .instant("to", "Before this time.", example: "2026-12-01T00:00:00Z"),
    ]

    private static let alerts = Route.list(
        "/v1/alerts", .alerts, of: AlertRecord.self, "The alerts, newest first.",
        filters: [
            .text("account", "For operators: only this account's.", example: "acme"),
            .text("tenant", "Only this tenant's.", example: "acme-shop"),
            .word("metric", Metric.self, "Of this metric."), .word("state", AlertEvent.State.self, "In this state."),
        ] + times
    ) { call, page in
        let (account, tenant) = (try TenantRoutes.account(call), try call.query.text("tenant"))
        let (metric, state) = (try call.query.word("metric", Metric.self), try call.query.word("state", AlertEvent.State.self))
        let (from, to) = (try call.query.instant("from"), try call.query.instant("to"))
        return { database in
            try AlertRecord.page(
                account: account, tenant: tenant, metric: metric, state: state, from: from, to: to, after: page.after,
                limit: page.limit, on: &database)
        }
    }

    private static let invoices = Route.list(
        "/v1/invoices", .invoices, of: InvoiceDetails.self, "The invoices, newest first.",
        filters: [
            .text("account", "For operators: only this account's.", example: "acme"),
            .text("tenant", "Only this tenant's.", example: "acme-shop"),
            .month("period", "Of the period that begins in this month."),
        ]
    ) { call, page in
        let (account, tenant) = (try TenantRoutes.account(call), try call.query.text("tenant"))
        let period = try call.query.month("period")
        return { database in
            try InvoiceDetails.page(
                account: account, tenant: tenant, period: period, after: page.after, limit: page.limit, on: &database)
        }
    }

    private static let audit = Route.list(
        "/v1/audit", .audit, of: AuditRecord.self, "The audit log, newest first.",
        filters: [
            .text("account", "For operators: only this account's.", example: "acme"),
            .text("tenant", "About this tenant.", example: "acme-shop"),
            .text("kind", "What was done.", example: "tenant.create"), .text("actor", "Who did it.", example: "acme"),
        ] + times
    ) { call, page in
        let (account, tenant) = (try TenantRoutes.account(call), try call.query.text("tenant"))
        let (kind, actor) = (try call.query.text("kind"), try call.query.text("actor"))
        let (from, to) = (try call.query.instant("from"), try call.query.instant("to"))
        return { database in
            try AuditRecord.page(
                account: account, tenant: tenant, kind: kind, actor: actor, from: from, to: to, after: page.after,
                limit: page.limit, on: &database)
        }
    }
}

extension AlertRecord: ListedRow {}
extension InvoiceDetails: ListedRow {}
extension AuditRecord: ListedRow {}
