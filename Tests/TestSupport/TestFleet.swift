public import AMQP
public import Contract
public import Families
public import Fleet
internal import Foundation
public import Jobs
internal import Logging
public import Metering
public import Postgres

/// A fleet of its own for one test: a virtual host, a database, plans, and a worker in this process.
///
/// Not for several threads at once: a test is one user.
public final class TestFleet {
    public let brokerURL: String
    public let databaseURL: String
    /// The same database as its workers get at it.
    public var workerDatabaseURL: String { testDatabase.workerURL }
    /// `<key>.<secret>` of an operator.
    public let operatorToken: String
    public var database: Postgres.Connection
    public var broker: AMQP.Connection
    /// Where ``brokerURL`` leads; goes away with the fleet unless somebody else holds it.
    public let virtualHost: TestVirtualHost
    /// Where ``databaseURL`` leads; goes away with the fleet unless somebody else holds it.
    public let testDatabase: TestDatabase
    private let answers: String
    private var early: [String: Answer] = [:]
    private var workers: [(worker: Worker, running: Task<Void, any Error>)] = []

    /// Plans that tests rely on: those of the product, and `small` with hard limits. Each offers them all to tenants.
    public static let plans = [
        Plan(
            name: "pro", displayName: "Pro", thresholds: [50, 75, 80, 90, 100],
            limits: [
                .childTenants: .init(value: 1, mode: .hard), .messages: .init(value: 10_000, mode: .soft),
            ], tenantPlans: offered),
        Plan(
            name: "enterprise", displayName: "Enterprise", thresholds: [50, 75, 80, 90, 100],
            limits: [
                .childTenants: .init(value: 10, mode: .hard), .messages: .init(value: 100_000, mode: .soft),
            ], tenantPlans: offered),
        Plan(
            name: "enterprise-plus", displayName: "Enterprise+", thresholds: [50, 75, 80, 90, 100], limits: [:],
            tenantPlans: offered),
        Plan(
            name: "small", displayName: "Small", thresholds: [50, 100],
            limits: [
                .childTenants: .init(value: 3, mode: .hard), .messages: .init(value: 5, mode: .hard),
                .documents: .init(value: 2, mode: .hard),
                .corpusBytes: .init(value: 1_000, mode: .hard),
            ], tenantPlans: offered),
    ]

    private static let offered = ["pro", "enterprise", "enterprise-plus", "small"]

    /// A virtual host and a database of its own with schema, plans, topology and an operator; no worker yet.
    public init(partitions: [Family: Int] = [:]) async throws {
        try TestServers.requireBroker()
        async let copy = TestServers.shared.migratedDatabase()
        virtualHost = try await TestServers.shared.virtualHost()
        brokerURL = virtualHost.url
        testDatabase = try await copy
        databaseURL = testDatabase.url
        operatorToken = TestDatabase.operatorToken
        let options = ConnectionOptions(url: databaseURL)
        database = try Postgres.Connection(options)
        broker = try AMQP.Connection(BrokerURL(brokerURL), name: "test")
        try broker.enableConfirms()
        var fleet = FleetOptions(broker: try BrokerURL(brokerURL), database: options)
        fleet.partitions = partitions
        fleet.ladder = Self.ladder
        try TopologyDeclaration(fleet).apply(to: fleet.broker)
        answers = try broker.declareQueue("", durable: false, exclusive: true, autoDelete: true).name
        try broker.consume(answers, tag: answers)
    }

    /// A test that failed has not come to its ``stop()``: its workers are not to go on beside the next one.
    deinit {
        for (worker, _) in workers { worker.drain() }
    }

    /// Short waits, so that a job climbs the whole ladder while a test looks on.
    public static let ladder = RetryLadder(delaysMilliseconds: [50, 100, 150, 200])

    /// Starts a worker on all families; it is drained by ``stop()``.
    public func startWorker(
        _ adjust: (inout FleetOptions) -> Void = { _ in }, serve: (inout Families.Options) -> Void = { _ in },
        families: [JobFamily] = []
    ) throws {
        var options = FleetOptions(
            broker: try BrokerURL(brokerURL), database: ConnectionOptions(url: testDatabase.workerURL))
        options.ladder = Self.ladder
        adjust(&options)
        var logger = Logger(label: "test", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        var served = Families.Options(batchLimit: options.batchLimit, sweepSeconds: 0.1)
        serve(&served)
        let worker = Worker(
            options, families: Families.all(served) + families, duties: Families.duties(served),
            confirmations: Families.confirmations, logger: logger)
        workers.append((worker, Task(executorPreference: WorkerExecutor.shared) { try await worker.run() }))
    }

    /// Drains the workers and waits for their end.
    public func stop() async {
        for (worker, _) in workers { worker.drain() }
        for (_, running) in workers { _ = await running.result }
        workers.removeAll()
    }

    // MARK: Jobs

    public static func newID() -> String { UUID().uuidString.lowercased() }

    /// Publishes a job and waits for the broker's confirm; properties as the contract asks unless adjusted.
    public func send(
        _ kind: String, _ body: String, tenant: String? = nil, token: String, id: String = TestFleet.newID(),
        adjust: (inout Properties) -> Void = { _ in }
    ) throws {
        try send(kind, Array(body.utf8), tenant: tenant, token: token, id: id, adjust: adjust)
    }

    public func send(
        _ kind: String, _ body: [UInt8], tenant: String? = nil, token: String, id: String = TestFleet.newID(),
        adjust: (inout Properties) -> Void = { _ in }
    ) throws {
        var properties = Properties(contentType: "application/json")
        properties.type = kind
        properties.messageID = id
        properties.replyTo = answers
        properties.timestamp = UInt64(Date().timeIntervalSince1970)
        properties.headers = ["authorization": .text("Bearer \(token)")]
        if let tenant { properties.headers["tenant"] = .text(tenant) }
        adjust(&properties)
        _ = try broker.publish(exchange: Topology.jobsExchange, routingKey: kind, properties: properties, body: body)
        let outcome = try broker.awaitConfirms(timeoutSeconds: 30)
        guard outcome.nacked.isEmpty else { throw TestFailure("the broker refused job \(id)") }
    }

    /// The answer to the job of this id; answers to other jobs are kept for later.
    public func answer(to id: String, timeoutSeconds: Double = 60) throws -> Answer {
        if let answer = early.removeValue(forKey: id) { return answer }
        let deadline = Date().addingTimeInterval(timeoutSeconds)
        while Date() < deadline {
            guard case .delivery(let delivery)? = try broker.receive(timeoutMilliseconds: 500) else { continue }
            try broker.ack(delivery.deliveryTag)
            let answer = try Answer(parsing: Array(delivery.body))
            if answer.jobID == id { return answer }
            early[answer.jobID] = answer
        }
        throw TestFailure("no answer to job \(id) within \(timeoutSeconds) s")
    }

    /// Sends a job and waits for its answer.
    public func ask(
        _ kind: String, _ body: String, tenant: String? = nil, token: String, id: String = TestFleet.newID(),
        adjust: (inout Properties) -> Void = { _ in }
    ) throws -> Answer {
        try send(kind, body, tenant: tenant, token: token, id: id, adjust: adjust)
        return try answer(to: id)
    }

    // MARK: Subjects

    /// An account, and its credential.
    public func makeAccount(_ slug: String, plan: String = "enterprise", _ more: String = "") throws -> String {
        let answer = try ask(
            "account.create", #"{"slug":"\#(slug)","display_name":"\#(slug)","plan":"\#(plan)"\#(more)}"#, token: operatorToken)
        guard case .string(let key)? = answer.result?["key"], case .string(let secret)? = answer.result?["secret"] else {
            throw TestFailure("account \(slug) was not made: \(answer)")
        }
        return "\(key).\(secret)"
    }

    /// An account that has been there since 2020: what is of a month since then is booked in that month.
    public func makeOldAccount(_ slug: String, plan: String = "enterprise", _ more: String = "") throws -> String {
        let token = try makeAccount(slug, plan: plan, more)
        try database.run(script: "update tenantry.accounts set created_at = '2020-01-01T00:00:00Z' where slug = '\(slug)'")
        return token
    }

    public func makeTenant(_ slug: String, token: String, _ more: String = "") throws {
        let answer = try ask("tenant.create", #"{"slug":"\#(slug)","display_name":"\#(slug)"\#(more)}"#, token: token)
        guard answer.status == .succeeded else { throw TestFailure("tenant \(slug) was not made: \(answer)") }
    }

    /// A webhook `wh_1` with a delivery `7`, straight into the tables, for jobs that must name them beforehand.
    public func putWebhook(of account: String) throws {
        let event = "00000000-0000-0000-0000-000000000001"
        try database.run(
            script: """
                insert into tenantry.webhooks (id, account, url, events, expression)
                values ('wh_1', '\(account)', 'https://hooks.example.com/', '{#}', '.');
                insert into tenantry.webhook_secrets (webhook, secret) values ('wh_1', '\\x00');
                insert into tenantry.webhook_events (id, account, name, content_type, body)
                values ('\(event)', '\(account)', 'account.updated', 'application/json', '{}');
                insert into tenantry.webhook_deliveries (id, webhook, event) overriding system value values (7, 'wh_1', '\(event)');
                """)
    }

    public func makeToken(_ scopes: [String], tenant: String?, token: String) throws -> String {
        let list = scopes.map { "\"\($0)\"" }.joined(separator: ",")
        let answer = try ask("token.issue", #"{"name":"test","scopes":[\#(list)]}"#, tenant: tenant, token: token)
        guard case .string(let key)? = answer.result?["key"], case .string(let secret)? = answer.result?["secret"] else {
            throw TestFailure("the token was not issued: \(answer)")
        }
        return "\(key).\(secret)"
    }

    /// A `conversation.log` body with these message ids, sent now.
    public static func log(_ ids: [String], conversation: String = "c", user: String = "u") -> String {
        let now = RFC3339.text(Int64(Date().timeIntervalSince1970 * 1_000) * 1_000)
        let messages = ids.map { #"{"id":"\#($0)","role":"user","user_id":"\#(user)","content":"hello","sent_at":"\#(now)"}"# }
        return #"{"conversation_id":"\#(conversation)","messages":[\#(messages.joined(separator: ","))]}"#
    }

    // MARK: What came of it

    /// One number from the database.
    public func number(_ sql: String) throws -> Int64 {
        let rows = try database.query(Statement(sql))
        return rows.count == 0 || rows.isNull(0, 0) ? 0 : rows.int(0, 0)
    }

    /// Changes something in the database, as its owner.
    public func change(_ script: String) throws { try database.run(script: script) }

    /// The first column, as text.
    public func texts(_ sql: String) throws -> [String] {
        let rows = try database.query(Statement(sql))
        return (0..<rows.count).map { rows.isNull($0, 0) ? "" : rows.text($0, 0) }
    }

    /// The letters in the dead-letter queue, taken out.
    public func takeDeadLetters() throws -> [DeadLetterQueue.Letter] {
        let queue = try DeadLetterQueue(BrokerURL(brokerURL))
        var letters: [DeadLetterQueue.Letter] = []
        while let letter = try queue.next() {
            try queue.discard(letter)
            letters.append(letter)
        }
        queue.close()
        return letters
    }
}

public struct TestFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Waits for a condition, looking again and again; never for a time.
public func eventually(
    _ what: String, within seconds: Double = 60, _ condition: () async throws -> Bool
) async throws {
    let deadline = Date().addingTimeInterval(seconds)
    while true {
        if try await condition() { return }
        guard Date() < deadline else { throw TestFailure("not within \(Int(seconds)) s: \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
