internal import Contract
internal import Hummingbird
internal import Jobs
internal import Metering
internal import NIOCore
internal import Postgres
internal import Tenants
internal import Usage
internal import Webhooks

/// What each tenant used, and what needs somebody's attention.
enum AttentionRoutes {
    static let all: [Route] = [usage, attention]

    private static let usage = Route.list(
        "/v1/usage/tenants", .usage, of: TenantUsage.self,
        "What each tenant used of one metric, by slug; a tenant's credential sees its own.",
        filters: [
            .text("account", "For operators: whose tenants.", example: "acme"),
            .month("period", "The month in which the period begins; the present one if not said."),
            .word("metric", Metric.self, "`messages` if not said."),
            .boolean("days", "Whether each day of the period is told, too."),
            QueryParameter.text("tenant", "Only this one; may be repeated.", example: "acme-shop").repeated,
            .text("q", "A part of slug or name.", example: "shop"),
        ]
    ) { call, page in
        let caller = try call.caller
        guard let account = try TenantRoutes.account(call) else {
            throw Problem.parameter("account", "is missing: an operator says whose")
        }
        var question = TenantUsage.Question(account: account)
        if let metric = try call.query.word("metric", Metric.self) { question.metric = metric }
        guard question.metric.isForTenants else { throw Problem.parameter("metric", "is one that accounts alone have") }
        question.month = try call.query.month("period")
        question.tenants = call.query.all("tenant")
        guard question.tenants.count <= 200 else { throw Problem.parameter("tenant", "stands there more than 200 times") }
        question.part = try call.query.text("q")
        question.withDays = try call.query.boolean("days") ?? false
        question.withShares = caller.principal.tenant == nil && caller.principal.role != .token
        if let own = caller.principal.tenant {
            question.tenants = question.tenants.isEmpty ? [own] : question.tenants.filter { $0 == own }
            // Another's is one that does not exist.
            if question.tenants.isEmpty { return { _ in [] } }
        }
        let asked = question
        return { database in
            let rows = try database.transaction(mode: UsageView.transactionMode) { database in
                try TenantUsage.page(asked, after: page.after, limit: page.limit, on: &database)
            }
            guard let rows else { throw Problem.noAccount(account) }
            return rows
        }
    }

    private static let attention = Route.read(
        "/v1/attention", .reading(.attention), schema: Attention.schema,
        "What needs somebody's attention: limits that are reached, webhooks that fail, tenants without visitors, and for operators the fleet.",
        query: [.text("account", "For operators: only this account's.", example: "acme")]
    ) { call in
        let account = try TenantRoutes.account(call)
        let isOperator = try call.caller.account == nil
        let idleHours = call.services.options.idleHours
        return .json(
            .ok,
            try await call.database { database, _ in
                try Attention.read(account: account, seesFleet: isOperator, idleHours: idleHours, on: &database)
            })
    }

    /// Puts together what several rooms know.
    private enum Attention {
        private static let most = 50

        static func read(
            account: String?, seesFleet: Bool, idleHours: Int64, on database: inout Postgres.Connection
        ) throws(PostgresError) -> JSONValue {
            var letters: [JSONValue] = []
            var gone: [JSONValue] = []
            var backlog: OutboxBacklog?
            if seesFleet {
                letters = try DeadLetterRecord.count(.init(), by: [.code, .kind], on: &database).prefix(most).map { group in
                    [
                        "code": .string(group.values[.code] ?? ""), "kind": .string(group.values[.kind] ?? ""),
                        "letters": .number(group.letters),
                    ]
                }
                gone = try WorkerStatus.gone(on: &database).prefix(most).map {
                    ["id": .string($0.id), "seen_seconds_ago": .double($0.secondsSinceHeartbeat)]
                }
                backlog = try OutboxBacklog.read(on: &database)
            }
            let breached = try ReachedSubject.list(account: account, limit: most, on: &database).map {
                ReachedSubject.representation.json($0)
            }
            let failing = try FailingWebhook.list(account: account, limit: most, on: &database).map {
                FailingWebhook.representation.json($0)
            }
            let idle = try TenantSummary.countIdle(account: account, idleHours: idleHours, on: &database)
            return [
                "dead_letters": .array(letters), "breached": .array(breached), "failing_webhooks": .array(failing),
                "idle_tenants": .number(idle), "outbox_waiting": backlog.map { .number($0.messages) } ?? .null,
                "outbox_oldest_seconds": backlog.map { .double($0.lagSeconds) } ?? .null, "workers_gone": .array(gone),
            ]
        }

        static let schema: JSONValue = [
            "type": "object",
            "required": [
                "dead_letters", "breached", "failing_webhooks", "idle_tenants", "outbox_waiting", "outbox_oldest_seconds",
                "workers_gone",
            ],
            "properties": [
                "dead_letters": [
                    "type": "array", "description": "For operators.",
                    "items": [
                        "type": "object",
                        "properties": [
                            "code": ["type": "string"], "kind": ["type": "string"], "letters": ["type": ["integer", "string"]],
                        ],
                    ],
                ],
                "breached": ["type": "array", "items": ReachedSubject.representation.schema],
                "failing_webhooks": ["type": "array", "items": FailingWebhook.representation.schema],
                "idle_tenants": ["type": ["integer", "string"], "description": "In which no user has written for long."],
                "outbox_waiting": [
                    "type": ["integer", "string", "null"], "description": "For operators: messages that are to be published.",
                ],
                "outbox_oldest_seconds": ["type": ["number", "null"], "description": "The age of the oldest of them."],
                "workers_gone": [
                    "type": "array", "description": "For operators: workers that were not stopped and are not heard of.",
                    "items": [
                        "type": "object", "properties": ["id": ["type": "string"], "seen_seconds_ago": ["type": "number"]],
                    ],
                ],
            ],
        ]
    }
}

extension TenantUsage: ListedRow {}
