internal import AMQP
internal import Contract
internal import Families
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Usage

/// The platform is told which chatbots nobody talks to.
@Suite struct IdleTenantTests {
    @Test("A tenant without a user for so long is announced once, and again only after somebody spoke")
    func spells() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        for slug in ["new", "old", "busy", "asleep", "robot"] { try fleet.makeTenant(slug, token: account) }
        func announce() throws -> Int {
            try fleet.database.transaction { database in try IdleTenants.announce(afterHours: 48, on: &database) }
        }
        #expect(try announce() == 0, "all are new")
        try fleet.database.run(
            script: """
                update tenantry.tenants set created_at = now() - interval '50 hours 30 minutes' where slug <> 'new';
                update tenantry.tenants set state = 'suspended' where slug = 'asleep';
                """)
        try fleet.logMessages(1, tenant: "busy", token: account)
        // A message that no user said.
        let at = RFC3339.text(SystemClock.nowMicroseconds())
        let said = #"{"conversation_id":"c","messages":[{"id":"1","role":"system","content":"x","sent_at":"\#(at)"}]}"#
        #expect(try fleet.ask("conversation.log", said, tenant: "robot", token: account).status == .succeeded)
        #expect(try announce() == 1, "what is not aggregated yet is waited for")
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).status == .succeeded)
        #expect(try announce() == 1)
        #expect(try announce() == 0)
        #expect(
            try fleet.texts("select slug from tenantry.tenants where last_active_at > now() - interval '1 hour'") == ["busy"])
        #expect(
            try fleet.texts("select slug from tenantry.tenants where idle_notified_at is not null order by 1") == [
                "old", "robot",
            ])

        // Somebody speaks, and then nobody for so long.
        try fleet.logMessages(1, tenant: "old", token: account)
        #expect(try fleet.ask("usage.aggregate", "{}", token: account).status == .succeeded)
        #expect(try announce() == 0)
        try fleet.database.run(
            script: """
                update tenantry.tenants set idle_notified_at = now() - interval '80 hours', last_active_at = now() - interval '60 hours'
                where slug = 'old'
                """)
        #expect(try announce() == 1)
        #expect(try announce() == 0)
        await fleet.stop()
    }

    @Test("The event names the account and the tenant and when somebody last spoke, and the leader sends it by itself")
    func event() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "enterprise-plus")
        for slug in ["silent", "quiet"] { try fleet.makeTenant(slug, token: account) }
        await fleet.stop()
        try fleet.database.run(
            script: """
                update tenantry.tenants set created_at = now() - interval '50 hours 30 minutes';
                update tenantry.tenants set last_active_at = '2024-05-05T05:05:05.5Z' where slug = 'quiet';
                """)
        try fleet.broker.declareQueue("idle", durable: false, exclusive: true)
        try fleet.broker.bindQueue("idle", exchange: Topology.eventsExchange, routingKey: "activity.idle.acme.#")
        try fleet.startWorker(serve: { $0.idleHours = 48 })
        var events: [String: (id: String, body: [String: Any])] = [:]
        try await eventually("both are announced") {
            while let delivery = try fleet.broker.get("idle") {
                try fleet.broker.ack(delivery.deliveryTag)
                #expect(delivery.properties.type == "activity.idle" && delivery.properties.contentType == "application/json")
                let body = try JSONSerialization.jsonObject(with: Data(delivery.withBody { Array($0) })) as? [String: Any]
                #expect(events[delivery.routingKey] == nil, "each once")
                events[delivery.routingKey] = (delivery.properties.messageID ?? "", body ?? [:])
            }
            return events.count == 2
        }
        let silent = try #require(events["activity.idle.acme.silent"]?.body)
        #expect(Set(silent.keys) == ["event", "account", "tenant", "last_active_at", "idle_hours"])
        #expect(silent["event"] as? String == "activity.idle" && silent["account"] as? String == "acme")
        #expect(silent["tenant"] as? String == "silent" && silent["last_active_at"] is NSNull)
        #expect(silent["idle_hours"] as? Int == 50)
        let quiet = try #require(events["activity.idle.acme.quiet"])
        #expect(quiet.body["last_active_at"] as? String == "2024-05-05T05:05:05.500Z")
        #expect(quiet.id == "activity.idle/acme/quiet/1714885505500000", "the same however often it is sent")
        await fleet.stop()
    }
}
