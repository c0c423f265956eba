internal import Contract
internal import Jobs
internal import Logging
internal import Postgres
internal import ServiceLifecycle
internal import Synchronization
internal import TestSupport

@testable internal import Webhooks

/// A database of its own with an account and two tenants, and what calls webhooks, in this process.
final class WebhookStage: Sendable {
    static let account = Principal(key: "acc_test", role: .account, account: "acme", tenant: nil, scopes: [])

    let database: TestDatabase
    /// Seconds by which the clock of deliveries is ahead.
    private let ahead = Mutex(0.0)
    private let jobs = Mutex(0)

    init() async throws {
        database = try await TestServers.shared.migratedDatabase()
        var connection = try Connection(ConnectionOptions(url: database.url))
        try connection.run(
            script: """
                insert into tenantry.accounts (slug, display_name, plan) values ('acme', 'Acme', 'pro'), ('other', 'Other', 'pro');
                insert into tenantry.tenants (slug, account, schema_name, display_name)
                values ('acme-a', 'acme', 'tenant_acme_a', 'A'), ('acme-b', 'acme', 'tenant_acme_b', 'B');
                """)
    }

    private func number() -> Int {
        jobs.withLock { number in
            number += 1
            return number
        }
    }

    /// As a lane would do it, and committed.
    @discardableResult
    func ask(_ kind: String, _ body: JSONValue, tenant: String? = nil, by principal: Principal = account) throws -> Answer {
        let handlers = Webhooks.handlers(allowsLoopback: true)
        guard let handler = handlers.first(where: { $0.kind.name == kind }) else { throw TestFailure("no kind \(kind)") }
        let id = "job-\(number())"
        let record = try tenant.map {
            TenantRecord(
                slug: $0, account: "acme", schema: try Identifier("tenant_" + $0.replacing("-", with: "_")), state: .active,
                timezone: "UTC", billingAnchorDay: 1, closedThrough: .distantPast, meteredFrom: .distantPast,
                mayHaveHardFlowLimit: false)
        }
        let job = Job(kind: handler.kind, id: id, principal: principal, tenant: record, payload: body.serialised())
        var connection = try Connection(ConnectionOptions(url: database.workerURL))
        do {
            let outcome = try connection.transaction { try handler.handle([job], on: &$0)[0] }
            guard case .succeeded(let result, let isDuplicate) = outcome else { throw TestFailure("\(outcome)") }
            return Answer(jobID: id, kind: kind, result: result ?? .null, duplicate: isDuplicate)
        } catch let rejection as Rejection {
            return Answer(jobID: id, kind: kind, error: rejection)
        }
    }

    /// - Returns: id and secret.
    func webhook(_ url: String, _ events: [String] = ["#"], tenant: String? = nil) throws -> (id: String, secret: String) {
        let answer = try ask(
            "webhook.create", ["url": .string(url), "events": .array(events.map { .string($0) })], tenant: tenant)
        guard case .string(let id)? = answer.result?["webhook"], case .string(let secret)? = answer.result?["secret"] else {
            throw TestFailure("webhook.create: \(answer)")
        }
        return (id, secret)
    }

    /// Events of tenants in the outbox, each in a transaction of its own.
    ///
    /// - Returns: their ids as webhooks know them.
    @discardableResult
    func happen(_ count: Int = 1, _ what: LifecycleEvent = .tenantUpdated, tenant: String = "acme-a") throws -> [String] {
        var connection = try Connection(ConnectionOptions(url: database.workerURL))
        return try (0..<count).map { _ in
            let message = OutboxMessage.event(
                what, subject: ["acme", tenant], id: "event-\(number())",
                ["account": "acme", "tenant": .string(tenant), "changed": []])
            try connection.transaction { try Outbox.append([message], on: &$0) }
            return EventID.of(message.messageID)
        }
    }

    func advance(_ seconds: Double) { ahead.withLock { $0 += seconds } }

    var seconds: Double { ahead.withLock { $0 } }

    @discardableResult
    func query(_ sql: String) throws -> [[String]] {
        var connection = try Connection(ConnectionOptions(url: database.url))
        let rows = try connection.query(Statement(sql))
        return (0..<rows.count).map { row in (0..<rows.columnCount).map { rows.optionalText(row, $0) ?? "-" } }
    }

    /// State, attempts and status of each delivery of a webhook, in order.
    func deliveries(_ webhook: String) throws -> [String] {
        try query(
            """
            select state || ' ' || attempt || ' ' || coalesce(status::text, '-') from tenantry.webhook_deliveries
            where webhook = '\(webhook)' order by id
            """
        ).map { $0[0] }
    }

    func options(
        allowsLoopback: Bool = true, certificateFiles: [String] = [], parallel: Int = 256, attemptSeconds: Double = 15
    ) -> WebhookOptions {
        WebhookOptions(
            database: ConnectionOptions(url: database.workerURL), allowsLoopback: allowsLoopback,
            certificateFiles: certificateFiles, parallel: parallel, attemptSeconds: attemptSeconds)
    }

    /// Calls webhooks while the body runs, and drains then.
    func dispatching(
        _ options: WebhookOptions? = nil, resolver: AddressResolver = .system, _ body: () async throws -> Void
    ) async throws {
        var logger = Logger(label: "webhooks", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .critical
        let dispatcher = try WebhookDispatcher(
            options ?? self.options(), logger: logger, resolver: resolver, ahead: { self.seconds })
        let group = ServiceGroup(services: [dispatcher], logger: logger)
        let running = Task { try await group.run() }
        let result: Result<Void, any Error>
        do {
            try await body()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }
}
