internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import TestSupport
internal import Testing

/// `tenantry.events`, for whoever binds.
@Suite(.serialized) struct EventTests {
    private func bind(_ queue: String, _ keys: [String], _ fleet: TestFleet) throws {
        try fleet.broker.declareQueue(queue, durable: false, exclusive: true)
        for key in keys { try fleet.broker.bindQueue(queue, exchange: "tenantry.events", routingKey: key) }
    }

    private func take(_ queue: String, _ fleet: TestFleet) throws -> [(key: String, properties: Properties, body: JSONValue)] {
        var events: [(String, Properties, JSONValue)] = []
        while let delivery = try fleet.broker.get(queue) {
            try fleet.broker.ack(delivery.deliveryTag)
            let body = delivery.withBody { Array($0) }
            events.append((delivery.routingKey, delivery.properties, try JSONValue(parsing: Array(body))))
        }
        return events
    }

    @Test("A bound listener hears of every job of a large hot batch, whether it succeeded or was rejected")
    func everyJob() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        await fleet.stop()
        try bind("ears", ["job.*.conversation.log"], fleet)
        let good = (0..<500).map { "good-\($0)" }
        let bad = (0..<50).map { "bad-\($0)" }
        for (index, id) in good.enumerated() {
            try fleet.send("conversation.log", TestFleet.log([id]), tenant: "shop", token: account, id: id) { $0.replyTo = nil }
            guard index < bad.count else { continue }
            try fleet.send("conversation.log", "{}", tenant: "shop", token: account, id: bad[index]) { $0.replyTo = nil }
        }
        try fleet.startWorker { $0.lanes[.conversation] = 1 }
        var events: [(key: String, properties: Properties, body: JSONValue)] = []
        try await eventually("all have been heard of") {
            events += try take("ears", fleet)
            return events.count >= 550
        }
        await fleet.stop()
        events += try take("ears", fleet)
        #expect(events.count == 550, "each once")
        func ids(_ key: String) -> Set<String> { Set(events.filter { $0.key == key }.compactMap(\.properties.messageID)) }
        #expect(ids("job.succeeded.conversation.log") == Set(good))
        #expect(ids("job.rejected.conversation.log") == Set(bad))
        let success = try #require(events.first { $0.properties.messageID == "good-7" })
        #expect(success.properties.type == "job.succeeded")
        #expect(
            success.body == [
                "job_id": "good-7", "kind": "conversation.log", "account": "acme", "tenant": "shop", "status": "succeeded",
                "duplicate": false, "error": .null,
            ])
        let failure = try #require(events.first { $0.properties.messageID == "bad-7" })
        #expect(failure.properties.type == "job.rejected")
        #expect(failure.body["error"]?["code"] == "invalid_payload" && failure.body["error"]?["field"] == "/conversation_id")
    }

    @Test("Accounts and tenants that come into being are told of, and no event shows a secret")
    func lifeCycle() async throws {
        let fleet = try await TestFleet()
        try bind("ears", ["#"], fleet)
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop-one", token: account)
        let token = try fleet.makeToken(["corpus:write"], tenant: "shop-one", token: account)
        let refused = try fleet.ask("tenant.create", #"{"slug":"shop-one","display_name":"x"}"#, token: account)
        #expect(refused.error?.code == .slugTaken)
        var events: [(key: String, properties: Properties, body: JSONValue)] = []
        let expected: Set = [
            "account.created.acme", "tenant.created.acme.shop-one", "job.succeeded.account.create", "job.succeeded.tenant.create",
            "job.succeeded.token.issue", "job.rejected.tenant.create",
        ]
        try await eventually("all have been heard of") {
            events += try take("ears", fleet)
            return expected.isSubset(of: events.map(\.key))
        }
        await fleet.stop()
        events += try take("ears", fleet)
        #expect(events.map(\.key).sorted() == expected.sorted(), "each once")
        let ids = events.compactMap(\.properties.messageID)
        #expect(Set(ids).count == expected.count, "each event has an id of its own: \(ids)")
        let created = try #require(events.first { $0.key == "tenant.created.acme.shop-one" })
        #expect(created.properties.type == "tenant.created")
        #expect(
            created.body == ["event": "tenant.created", "account": "acme", "tenant": "shop-one", "schema": "tenant_shop_one"])
        for secret in [account, token, fleet.operatorToken].compactMap({ $0.split(separator: ".").last }) {
            for event in events { #expect(!String(describing: event).contains(secret), "\(event.key)") }
        }
    }

    @Test("An event's id begins with its name, names its subject and what caused it, and fits a property")
    func ids() {
        func id(_ what: LifecycleEvent, _ subject: [String], _ id: String) -> String {
            OutboxMessage.event(what, subject: subject, id: id, [:]).messageID
        }
        #expect(id(.accountCreated, ["acme"], "job") == "account.created/acme/job")
        #expect(id(.tenantPurged, ["acme", "shop"], "purge-shop") == "tenant.purged/acme/shop/purge-shop")
        let long = ["a", "b"].map { id(.tenantUpdated, ["acme", "shop"], String(repeating: "ü", count: 127) + $0) }
        for id in long { #expect(id.wholeMatch(of: /tenant\.updated\/sha256:[0-9a-f]{64}/) != nil, "\(id)") }
        #expect(long[0] != long[1])
        #expect(id(.tenantUpdated, ["acme"], String(repeating: "x", count: 235)).utf8.count == 255)
        #expect(id(.tenantUpdated, ["acme"], String(repeating: "x", count: 236)).utf8.count < 255)
    }
}
