internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Postgres
internal import TestSupport

/// A virtual host and a database with topology, schema, plans and an operator, on which worker processes come and go; and what an outsider
/// sees there. Its own connections survive nothing: after a restart of a server, ``reconnect()``.
final class Stage {
    let brokerURL: String
    let databaseURL: String
    let operatorToken: String
    var database: Postgres.Connection
    var broker: AMQP.Connection
    // They go away with the stage, where they are its own.
    private let virtualHost: TestVirtualHost?
    private let testDatabase: TestDatabase?
    /// The queue for answers: the broker named it, so that whoever asks may have them sent there.
    let answers: String

    /// On the servers that all tests share, but for those named here, which are the test's own.
    init(broker ownBroker: String? = nil, database ownDatabase: String? = nil) async throws {
        virtualHost = ownBroker == nil ? try await TestServers.shared.virtualHost() : nil
        testDatabase = ownDatabase == nil ? try await TestServers.shared.migratedDatabase() : nil
        brokerURL = ownBroker ?? virtualHost?.url ?? ""
        databaseURL = ownDatabase ?? testDatabase.map { $0.url + "?sslmode=disable" } ?? ""
        operatorToken = TestDatabase.operatorToken
        let options = ConnectionOptions(url: databaseURL, applicationName: "test")
        if testDatabase == nil { try TestDatabase.prepare(options) }
        database = try Postgres.Connection(options)
        broker = try Self.connect(brokerURL)
        var fleet = FleetOptions(broker: try BrokerURL(brokerURL), database: options)
        fleet.ladder = TestFleet.ladder
        try TopologyDeclaration(fleet).apply(to: fleet.broker)
        answers = try broker.declareQueue("").name
        // Whatever is retried passes here, too: `x-match: all` of nothing matches everything.
        _ = try broker.declareQueue("retried")
        try broker.bindQueue("retried", exchange: Topology.retryExchange, routingKey: "", arguments: ["x-match": "all"])
    }

    private static func connect(_ url: String) throws -> AMQP.Connection {
        var connection = try AMQP.Connection(BrokerURL(url), name: "test")
        try connection.enableConfirms()
        return connection
    }

    func reconnectDatabase() throws {
        database = try Postgres.Connection(ConnectionOptions(url: databaseURL, applicationName: "test"))
    }

    func reconnectBroker() throws {
        broker = try Self.connect(brokerURL)
    }

    func startWorker(
        _ program: WorkerProcess.Program = .tenantry, mostBytes: Int? = nil, _ environment: [String: String] = [:]
    ) throws -> WorkerProcess {
        try WorkerProcess(program, broker: brokerURL, database: databaseURL, mostBytes: mostBytes, environment)
    }

    // MARK: Jobs

    /// Publishes without waiting for the confirm.
    func post(
        _ kind: String, _ body: String, tenant: String? = nil, token: String, id: String = UUID().uuidString,
        replyTo: String? = nil, headers: FieldTable = [:]
    ) throws {
        try post(kind, Array(body.utf8), tenant: tenant, token: token, id: id, replyTo: replyTo, headers: headers)
    }

    func post(
        _ kind: String, _ body: [UInt8], tenant: String? = nil, token: String, id: String, replyTo: String? = nil,
        headers: FieldTable = [:]
    ) throws {
        var properties = Properties(contentType: "application/json")
        properties.type = kind
        properties.messageID = id
        properties.replyTo = replyTo
        properties.timestamp = UInt64(Date().timeIntervalSince1970)
        properties.headers = headers
        properties.headers["authorization"] = .text("Bearer \(token)")
        if let tenant { properties.headers["tenant"] = .text(tenant) }
        _ = try broker.publish(exchange: Topology.jobsExchange, routingKey: kind, properties: properties, body: body)
    }

    /// Waits until the broker has all that was posted.
    func confirm(downTo remaining: Int = 0) throws {
        let outcome = try broker.awaitConfirms(downTo: remaining, timeoutSeconds: 60)
        guard outcome.nacked.isEmpty else { throw TestFailure("the broker refused \(outcome.nacked.count) jobs") }
    }

    /// Sends a job and waits for its answer; one at a time.
    func ask(_ kind: String, _ body: String, tenant: String? = nil, token: String, id: String = UUID().uuidString) async throws
        -> Answer
    {
        try post(kind, body, tenant: tenant, token: token, id: id, replyTo: answers)
        try confirm()
        return try await answer(to: id, in: answers)
    }

    /// The next answer in the queue, which must be this job's.
    func answer(to id: String, in queue: String) async throws -> Answer {
        var answer: Answer?
        try await eventually("answer to \(id)") {
            answer = try take(from: queue).map { try Answer(parsing: Array($0.body)) }
            return answer != nil
        }
        guard let answer, answer.jobID == id else {
            throw TestFailure("awaited an answer to \(id), got \(String(describing: answer))")
        }
        return answer
    }

    /// An account's credential.
    func makeAccount(_ slug: String, messages limit: Int? = nil, anchorDay: Int? = nil) async throws -> String {
        let limits = limit.map { #","limits":{"messages":\#($0)}"# } ?? ""
        let anchor = anchorDay.map { #","billing_anchor_day":\#($0)"# } ?? ""
        let answer = try await ask(
            "account.create", #"{"slug":"\#(slug)","display_name":"\#(slug)","plan":"enterprise-plus"\#(limits)\#(anchor)}"#,
            token: operatorToken)
        guard case .string(let key)? = answer.result?["key"], case .string(let secret)? = answer.result?["secret"] else {
            throw TestFailure("account \(slug) was not made: \(answer)")
        }
        return "\(key).\(secret)"
    }

    func makeTenant(_ slug: String, token: String, messages limit: Int? = nil) async throws {
        let limits = limit.map { #","limits":{"messages":\#($0)}"# } ?? ""
        let answer = try await ask("tenant.create", #"{"slug":"\#(slug)","display_name":"\#(slug)"\#(limits)}"#, token: token)
        guard answer.status == .succeeded else { throw TestFailure("tenant \(slug) was not made: \(answer)") }
    }

    // MARK: What came of it

    /// One number from the database.
    func number(_ sql: String) throws -> Int {
        let rows = try database.query(Statement(sql))
        return rows.count == 0 || rows.isNull(0, 0) ? 0 : Int(rows.int(0, 0))
    }

    func run(_ script: String) throws {
        try database.run(script: script)
    }

    /// Rows of texts.
    func table(_ sql: String) throws -> [[String]] {
        let rows = try database.query(Statement(sql))
        return (0..<rows.count).map { row in rows.columnNames.indices.map { rows.isNull(row, $0) ? "" : rows.text(row, $0) } }
    }

    /// Messages that are ready in a queue: those in some worker's hands do not count.
    func ready(_ queue: String) throws -> Int {
        guard let information = try broker.inspectQueue(queue) else { throw TestFailure("there is no queue \(queue)") }
        return information.messageCount
    }

    /// Takes one message out.
    func take(from queue: String) throws -> Delivery? {
        guard let delivery = try broker.get(queue) else { return nil }
        try broker.ack(delivery.deliveryTag)
        return delivery
    }

    func takeAll(from queue: String) throws -> [Delivery] {
        var deliveries: [Delivery] = []
        while let delivery = try take(from: queue) { deliveries.append(delivery) }
        return deliveries
    }

    /// `<job id> <error code>` of each letter in the dead-letter queue, taken out.
    func takeDeadLetters() throws -> [String] {
        try takeAll(from: Topology.deadQueue).map { letter in
            "\(letter.messageID ?? "?") \(letter.headerText(Header.errorCode.constant) ?? "?")"
        }
    }

    /// What lies ready in the families' queues, none of which is in anybody's hands once all workers have ended. What the fleet has asked of
    /// itself in its last moment is taken out and does not count: it is asked for again.
    func jobsLeft() throws -> Int {
        var left = try Family.allCases.reduce(ready(Topology.controlQueue)) { try $0 + ($1 == .usage ? 0 : ready($1.queue)) }
        while let job = try broker.get(Family.usage.queue) {
            // Those that count go back when the connection is closed.
            if job.messageID?.hasPrefix("fleet-") == true { try broker.ack(job.deliveryTag) } else { left += 1 }
        }
        return left
    }

    /// A subscriber's queue for alerts.
    func subscribe(_ queue: String, exchange: String = Topology.alertsExchange, arguments: FieldTable = [:]) throws {
        _ = try broker.declareQueue(queue, arguments: arguments)
        try broker.bindQueue(queue, exchange: exchange, routingKey: "#")
    }
}
