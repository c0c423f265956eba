internal import AMQP
internal import Contract
internal import Embedded
internal import Foundation
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// Real users of a real broker, with the permissions that `tenantry topology permissions` prints.
@Suite(.serialized) struct BrokerPermissionTests {
    private enum Attempt: CaseIterable {
        case publishJob, publishAlert, publishEvent, publishDead, publishToQueue, ownQueue, othersQueue, nameByBroker
        case bindOwnAlerts, bindOwnEvents, bindAllAlerts, bindAllEvents, bindOthersAlerts, bindAcrossAlerts, bindJobOutcomes,
            bindJobs
        case bindRetries, readFamily, readDead, readOthers, deadLetterIntoFleet, alternateIntoFleet, deleteFamily, purgeFamily
        case directReply, declareExchange, topology
    }

    /// What each role may; all else is refused.
    private static let allowed: [BrokerPermissions.Role: Set<Attempt>] = [
        .producer: [.publishJob, .ownQueue, .directReply],
        .subscriber: [.ownQueue, .bindOwnAlerts, .bindOwnEvents, .directReply],
        .worker: [
            .publishJob, .publishAlert, .publishEvent, .publishDead, .publishToQueue, .readFamily, .readDead, .purgeFamily,
            .deleteFamily,
            .declareExchange, .topology, .directReply,
        ],
        .operator: [
            .publishJob, .publishAlert, .publishEvent, .publishDead, .nameByBroker, .readFamily, .readDead, .purgeFamily,
            .deleteFamily,
            .declareExchange, .topology, .directReply,
        ],
    ]

    private static func perform(_ attempt: Attempt, on broker: inout AMQP.Connection, _ url: String) throws {
        func publish(_ exchange: String, _ key: String) throws {
            try broker.enableConfirms()
            _ = try broker.publish(exchange: exchange, routingKey: key, properties: Properties(), body: "{}")
            _ = try broker.awaitConfirms(timeoutSeconds: 20)
        }
        func bind(_ exchange: String, _ key: String, to queue: String = "acme.inbox") throws {
            try broker.bindQueue(queue, exchange: exchange, routingKey: key)
        }
        switch attempt {
        case .publishJob: try publish(Topology.jobsExchange, "conversation.log")
        case .publishAlert: try publish(Topology.alertsExchange, "limit.breached.messages.acme._pool")
        case .publishEvent: try publish(Topology.eventsExchange, "tenant.created.acme.shop")
        case .publishDead: try publish(Topology.deadExchange, "conversation.log")
        case .publishToQueue: try publish("", "other.inbox")
        case .ownQueue:
            _ = try broker.declareQueue("acme.more")
            try broker.consume("acme.more", tag: "t")
            try broker.deleteQueue("acme.more")
        case .othersQueue: _ = try broker.declareQueue("acme-shop.more")
        case .nameByBroker: _ = try broker.declareQueue("", exclusive: true)
        case .bindOwnAlerts:
            for key in ["limit.*.*.acme.*", "limit.breached.messages.acme.#", "*.*.*.acme.shop"] {
                try bind(Topology.alertsExchange, key)
            }
        case .bindOwnEvents:
            for key in ["*.*.acme.#", "tenant.created.acme.*", "account.*.acme"] { try bind(Topology.eventsExchange, key) }
        case .bindAllAlerts: try bind(Topology.alertsExchange, "#")
        case .bindAllEvents: try bind(Topology.eventsExchange, "#.acme.#")
        case .bindOthersAlerts: try bind(Topology.alertsExchange, "limit.*.*.other.*")
        case .bindAcrossAlerts: try bind(Topology.alertsExchange, "limit.#.acme.*")
        case .bindJobOutcomes: try bind(Topology.eventsExchange, "job.*.*.*")
        case .bindJobs: try bind(Topology.jobsExchange, "#")
        case .bindRetries: try bind(Topology.retryExchange, "")
        case .readFamily: try broker.consume(Family.usage.queue, tag: "t")
        case .readDead: _ = try broker.get(Topology.deadQueue)
        case .readOthers: _ = try broker.get("other.inbox")
        case .deadLetterIntoFleet:
            _ = try broker.declareQueue("acme.trap", arguments: ["x-dead-letter-exchange": .text(Topology.eventsExchange)])
        case .alternateIntoFleet:
            try broker.declareExchange(
                "acme.trap", type: "topic", arguments: ["alternate-exchange": .text(Topology.eventsExchange)])
        case .deleteFamily: try broker.deleteQueue(Family.usage.queue)
        case .purgeFamily: _ = try broker.purge(Family.usage.queue)
        case .directReply: try broker.consume("amq.rabbitmq.reply-to", tag: "r", isAcknowledging: false)
        case .declareExchange: try broker.declareExchange("tenantry.trap", type: "topic")
        case .topology:
            try TopologyDeclaration(FleetOptions(broker: try BrokerURL(url), database: .init(url: ""))).apply(to: BrokerURL(url))
        }
    }

    @Test("A user of the broker may do what its role needs, and nothing else", arguments: BrokerPermissions.Role.allCases)
    func matrix(_ role: BrokerPermissions.Role) async throws {
        let fleet = try await TestFleet()
        for queue in ["acme.inbox", "other.inbox", "acme-shop.inbox"] { _ = try fleet.broker.declareQueue(queue) }
        let node = try await TestServers.shared.broker()
        var parts = try #require(URLComponents(string: fleet.brokerURL))
        let host = try #require(parts.percentEncodedPath.dropFirst().removingPercentEncoding)
        let user = "\(host)-\(role.rawValue)"
        let permissions: BrokerPermissions =
            switch role {
            case .worker: .worker
            case .operator: .operator
            default: .ofAccount("acme", [role])
            }
        for arguments in [["add_user", user, "secret"]] + permissions.commands(user: user, virtualHost: host) {
            _ = try await node.run(ctl: arguments)
        }
        (parts.user, parts.password) = (user, "secret")
        let url = try #require(parts.string)
        for attempt in Attempt.allCases {
            var broker = try AMQP.Connection(BrokerURL(url), name: "\(attempt)")
            var refusal: AMQPError?
            do {
                try Self.perform(attempt, on: &broker, url)
            } catch let error as AMQPError {
                refusal = error
            }
            let mayDo = Self.allowed[role]?.contains(attempt) == true
            #expect(mayDo ? refusal == nil : refusal?.replyCode == 403, "\(role) \(attempt): \(String(describing: refusal))")
            // A queue of the fleet that was deleted is there again for the next attempt.
            if attempt == .deleteFamily, mayDo { try Self.perform(.topology, on: &fleet.broker, fleet.brokerURL) }
        }
        _ = try await node.run(ctl: ["delete_user", user])
    }

    @Test("A fleet works under the worker's permissions, and its account's user gets answers and alerts")
    func works() async throws {
        let fleet = try await TestFleet()
        let node = try await TestServers.shared.broker()
        var parts = try #require(URLComponents(string: fleet.brokerURL))
        let host = try #require(parts.percentEncodedPath.dropFirst().removingPercentEncoding)
        func user(_ name: String, _ permissions: BrokerPermissions) async throws -> String {
            for arguments in [["add_user", name, "secret"]] + permissions.commands(user: name, virtualHost: host) {
                _ = try await node.run(ctl: arguments)
            }
            (parts.user, parts.password) = (name, "secret")
            return try #require(parts.string)
        }
        let worker = try await user("\(host)-w", .worker)
        let customer = try await user("\(host)-c", .ofAccount("acme", [.producer, .subscriber]))
        try fleet.startWorker({ options in
            // The URL was read before: it is one.
            if let url = try? BrokerURL(worker) { options.broker = url }
        })
        let token = try fleet.makeAccount("acme", plan: "small")
        try fleet.makeTenant("acme-shop", token: token)

        var broker = try AMQP.Connection(BrokerURL(customer), name: "customer")
        try broker.enableConfirms()
        _ = try broker.declareQueue("acme.answers")
        _ = try broker.declareQueue("acme.alerts")
        try broker.bindQueue("acme.alerts", exchange: Topology.alertsExchange, routingKey: "limit.*.messages.acme.*")
        var properties = Properties(contentType: "application/json")
        properties.messageID = "job"
        properties.replyTo = "acme.answers"
        properties.headers = ["authorization": .text("Bearer \(token)"), "tenant": "acme-shop"]
        _ = try broker.publish(
            exchange: Topology.jobsExchange, routingKey: "conversation.log", properties: properties,
            body: Array(TestFleet.log(["m1", "m2", "m3"]).utf8))
        #expect(try broker.awaitConfirms(timeoutSeconds: 20).isSuccess)
        try await eventually("it is answered") { try broker.inspectQueue("acme.answers")?.messageCount == 1 }
        try await eventually("the alert is there") { try broker.inspectQueue("acme.alerts")?.messageCount ?? 0 > 0 }
        await fleet.stop()
        for name in ["\(host)-w", "\(host)-c"] { _ = try await node.run(ctl: ["delete_user", name]) }
    }
    @Test("A worker that may not use the default exchange drops answers; all jobs are done, and bad ones given up")
    func noAnswers() async throws {
        let fleet = try await TestFleet()
        let node = try await TestServers.shared.broker()
        var parts = try #require(URLComponents(string: fleet.brokerURL))
        let host = try #require(parts.percentEncodedPath.dropFirst().removingPercentEncoding)
        let name = "\(host)-mute"
        let own = #"^tenantry\..*$"#
        for arguments in [["add_user", name, "secret"], ["set_permissions", "--vhost", host, name, own, own, own]] {
            _ = try await node.run(ctl: arguments)
        }
        (parts.user, parts.password) = (name, "secret")
        let url = try BrokerURL(try #require(parts.string))
        try fleet.startWorker({ options in options.broker = url })
        for number in 0..<40 {
            // Each asks for an answer.
            try fleet.send(
                "account.create", #"{"slug":"acme-\#(number)","display_name":"A","plan":"pro"}"#, token: fleet.operatorToken)
            try fleet.send("account.create", "{}", token: fleet.operatorToken)
        }
        try await eventually("all are done") { try fleet.number("select count(*) from tenantry.accounts") == 40 }
        try await eventually("the bad ones are given up") {
            try fleet.broker.inspectQueue(Topology.deadQueue)?.messageCount == 40
        }
        await fleet.stop()
        #expect(try fleet.broker.inspectQueue(Topology.controlQueue)?.messageCount == 0)
        _ = try await node.run(ctl: ["delete_user", name])
    }
}
