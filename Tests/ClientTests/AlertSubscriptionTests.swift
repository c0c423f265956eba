internal import AMQP
internal import Contract
internal import Foundation
internal import Synchronization
internal import TenantryClient
internal import TestSupport
internal import Testing

/// Alerts as a sequence.
@Suite struct AlertSubscriptionTests {
    private func alert(_ id: String, account: String = "acme") -> AlertEvent {
        AlertEvent(
            id: id, state: .warning, time: Contract.Instant(microsecondsSince1970: 0),
            data: .init(
                account: account, tenant: nil, metric: .messages, mode: .soft, limit: 4, value: 2, previousValue: 1,
                thresholdPercent: 50, plan: "pro", periodStart: nil, periodEnd: nil))
    }

    /// Publishes alerts as the fleet does.
    private func send(_ alerts: AlertEvent..., to fleet: TestFleet) throws {
        for alert in alerts {
            var properties = Properties(contentType: AlertEvent.contentType)
            properties.messageID = alert.id
            try fleet.broker.publish(
                exchange: Topology.alertsExchange, routingKey: alert.routingKey, properties: properties, body: alert.encoded())
        }
        _ = try fleet.broker.awaitConfirms(timeoutSeconds: 30)
    }

    private func take(_ count: Int, from alerts: AlertSubscription) async throws -> [String] {
        var ids: [String] = []
        for try await alert in alerts {
            ids.append(alert.event.id)
            if ids.count == count { break }
        }
        return ids
    }

    @Test("The fleet's own alerts arrive, each once, in a private queue")
    func endToEnd() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount("acme", plan: "enterprise", #","limits":{"messages":4}"#)
        try fleet.makeTenant("acme-shop", token: token)
        let alerts = try await AlertSubscription(brokerURL: fleet.brokerURL, binding: "limit.*.messages.acme.#")
        let client = try JobClient(brokerURL: fleet.brokerURL, credential: token)
        for number in 0..<4 { _ = try await client.send(logged("m\(number)", in: "c"), tenant: "acme-shop").get() }
        var percents: [Int] = []
        for try await alert in alerts {
            #expect(alert.event.data.account == "acme" && alert.event.data.tenant == nil)
            #expect(try AlertEvent(parsing: alert.body) == alert.event)
            percents.append(alert.event.data.thresholdPercent)
            if percents.count == 5 { break }
        }
        // Four messages of four: 50 % with the second, 75 % with the third, and three thresholds with the fourth.
        #expect(percents.sorted() == [50, 75, 80, 90, 100])
        await fleet.stop()
    }

    @Test("An alert that is sent again is given once")
    func again() async throws {
        let fleet = try await TestFleet()
        let alerts = try await AlertSubscription(brokerURL: fleet.brokerURL)
        try send(alert("a"), alert("a"), alert("b"), alert("a"), alert("c"), to: fleet)
        #expect(try await take(3, from: alerts) == ["a", "b", "c"])
    }

    @Test("An alert is acknowledged when the next one is asked for; one that was not comes again to the queue's next reader")
    func acknowledged() async throws {
        let fleet = try await TestFleet()
        var options = AlertSubscription.Options()
        options.queue = "acme.alerts"
        options.prefetch = 1
        let first = try await AlertSubscription(brokerURL: fleet.brokerURL, options: options)
        try send(alert("a"), alert("b"), alert("c"), to: fleet)
        #expect(try await take(2, from: first) == ["a", "b"])
        first.close()
        let second = try await AlertSubscription(brokerURL: fleet.brokerURL, options: options)
        #expect(try await take(2, from: second) == ["b", "c"])
        second.close()
        let third = try await AlertSubscription(brokerURL: fleet.brokerURL, options: options)
        let reading = Task {
            var iterator = third.makeAsyncIterator()
            #expect(try await iterator.next()?.event.id == "c")
            withUnsafeCurrentTask { $0?.cancel() }
            let none = try await iterator.next()
            #expect(none == nil, "cancelled, it waits for nothing")
        }
        try await reading.value
        try await eventually("the queue is empty") { try fleet.broker.inspectQueue("acme.alerts")?.messageCount == 0 }
        third.close()
        #expect(try await take(1, from: third).isEmpty)
    }

    @Test("When the connection is cut, a durable queue keeps what is sent meanwhile, and each alert is given once")
    func reconnected() async throws {
        let fleet = try await TestFleet()
        let proxy = try CuttingProxy(to: fleet.brokerURL)
        defer { proxy.close() }
        let alerts = try await AlertSubscription(brokerURL: proxy.url(fleet.brokerURL), queue: "acme.alerts")
        for number in 0..<20 { try send(alert("\(number)"), to: fleet) }
        var ids: [String] = []
        for try await alert in alerts {
            ids.append(alert.event.id)
            switch ids.count {
            case 5: proxy.cut()
            case 10:
                proxy.goAway()
                for number in 20..<30 { try send(self.alert("\(number)"), to: fleet) }
                proxy.comeBack()
            default: break
            }
            if ids.count == 30 { break }
        }
        #expect(Set(ids) == Set((0..<30).map { "\($0)" }) && ids.count == 30)
        #expect(proxy.accepted >= 2)
        // And nothing comes after them.
        try send(alert("last"), to: fleet)
        #expect(try await take(1, from: alerts) == ["last"])
    }

    @Test("A private queue is declared anew after a loss")
    func privateAgain() async throws {
        let fleet = try await TestFleet()
        let proxy = try CuttingProxy(to: fleet.brokerURL)
        defer { proxy.close() }
        let alerts = try await AlertSubscription(brokerURL: proxy.url(fleet.brokerURL), binding: "limit.warning.#")
        proxy.cut()
        let isHeard = Mutex(false)
        async let first = {
            defer { isHeard.withLock { $0 = true } }
            return try await take(1, from: alerts).first
        }()
        // What is sent while nobody is bound, or to the queue that ends with the lost connection, is nobody's: it is sent until it is heard.
        while !isHeard.withLock({ $0 }) {
            try send(alert("a"), to: fleet)
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(try await first == "a")
    }

    @Test("An alert that cannot be read ends the loop, and stays in the queue")
    func unreadable() async throws {
        let fleet = try await TestFleet()
        let alerts = try await AlertSubscription(brokerURL: fleet.brokerURL, queue: "acme.alerts")
        try fleet.broker.publish(
            exchange: Topology.alertsExchange, routingKey: "limit.warning.messages.acme._pool", properties: Properties(),
            body: "{}")
        _ = try fleet.broker.awaitConfirms(timeoutSeconds: 30)
        var iterator = alerts.makeAsyncIterator()
        do {
            _ = try await iterator.next()
            Issue.record("it was read")
        } catch { #expect(error.kind == .invalid) }
        #expect(try await iterator.next() == nil)
        alerts.close()
        try await eventually("it is back in the queue") { try fleet.broker.inspectQueue("acme.alerts")?.messageCount == 1 }
    }

    @Test("Without the exchange, or a broker, or the right queue, subscribing says what is wrong")
    func refused() async throws {
        let fleet = try await TestFleet()
        let virtualHost = try await TestServers.shared.virtualHost()
        defer { withExtendedLifetime(virtualHost) {} }
        let bare = try await failure { _ = try await AlertSubscription(brokerURL: virtualHost.url) }
        #expect(bare.kind == .unroutable && bare.replyCode == 404 && bare.message.contains("tenantry topology apply"), "\(bare)")
        let nowhere = try await failure { _ = try await AlertSubscription(brokerURL: "amqp://127.0.0.1:1") }
        #expect(nowhere.kind == .connection)
        _ = try fleet.broker.declareQueue("acme.other", durable: true)
        let other = try await failure { _ = try await AlertSubscription(brokerURL: fleet.brokerURL, queue: "acme.other") }
        #expect(other.kind == .refused && other.replyCode == 406, "\(other)")
    }

    @Test("Several may take from one subscription: each alert goes to one of them")
    func shared() async throws {
        let fleet = try await TestFleet()
        let alerts = try await AlertSubscription(brokerURL: fleet.brokerURL)
        let taken = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<3 { group.addTask { try await take(4, from: alerts) } }
            for number in 0..<12 { try send(alert("\(number)"), to: fleet) }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken.count == 12 && Set(taken).count == 12)
    }
}
