internal import AMQP
internal import Contract
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// The shares of accounts and tenants.
@Suite(.serialized) struct JobRateTests {
    private static let token = #"{"name":"t","scopes":["corpus:write"]}"#

    private func plan(_ name: String, _ rate: Int64?) -> Plan {
        Plan(name: name, displayName: name, thresholds: [100], limits: [:], jobsPerMinute: rate)
    }

    private func job(_ account: String, rate: Int64?, kind: String = "token.issue") throws -> Job {
        let principal = Principal(key: "k", role: .account, account: account, tenant: nil, scopes: [], jobsPerMinute: rate)
        return Job(kind: try #require(Kind.named(kind)), id: "j", principal: principal, tenant: nil, payload: [])
    }

    @Test("A bucket holds a minute's worth, and the last jobs of a batch are those that wait; without a rate nothing is asked")
    func bucket() async throws {
        let place = try await TestServers.shared.migratedDatabase()
        defer { withExtendedLifetime(place) {} }
        var database = try Connection(ConnectionOptions(url: place.url))
        let (slow, free) = (try job("slow", rate: 10), try job("free", rate: nil))
        #expect(try JobRates.over([free, free], on: &database).isEmpty)
        #expect(try database.query("select count(*) from tenantry.job_rates").only(Int64.self) == 0)
        let batch = [free] + Array(repeating: slow, count: 14) + [free]
        #expect(try JobRates.over(batch, on: &database) == [11, 12, 13, 14])
        // Kinds that must not wait are not counted.
        let control = try job("slow", rate: 10, kind: "token.revoke")
        #expect(try JobRates.over([control], on: &database).isEmpty)
        // Six seconds are one job's worth; a long pause fills the bucket and no more.
        _ = try database.query("update tenantry.job_rates set tokens = 0, drawn_at = clock_timestamp() - interval '6.5 seconds'")
        #expect(try JobRates.over([slow, slow], on: &database) == [1])
        _ = try database.query("update tenantry.job_rates set tokens = 0, drawn_at = clock_timestamp() - interval '1 hour'")
        #expect(try JobRates.over(Array(repeating: slow, count: 12), on: &database).count == 2)
        // A rate that was lowered holds at once.
        _ = try database.query("update tenantry.job_rates set tokens = 10, drawn_at = clock_timestamp()")
        #expect(try JobRates.over(Array(repeating: try job("slow", rate: 3), count: 5), on: &database) == [3, 4])
    }

    @Test("What waits by its tenant's rate takes nothing from the account's other tenants")
    func siblings() async throws {
        let place = try await TestServers.shared.migratedDatabase()
        defer { withExtendedLifetime(place) {} }
        var database = try Connection(ConnectionOptions(url: place.url))
        let principal = Principal(key: "k", role: .account, account: "acme", tenant: nil, scopes: [], jobsPerMinute: 10)
        func job(_ tenant: String, rate: Int64?) throws -> Job {
            let record = TenantRecord(
                slug: tenant, account: "acme", schema: try Identifier("tenant_\(tenant)"), state: .active, timezone: "UTC",
                billingAnchorDay: 1, closedThrough: Timestamp(seconds: 0), meteredFrom: Timestamp(seconds: 0),
                mayHaveHardFlowLimit: false, jobsPerMinute: rate)
            return Job(kind: .tokenIssue, id: "j", principal: principal, tenant: record, payload: [])
        }
        let flood = Array(repeating: try job("loud", rate: 2), count: 20)
        #expect(try JobRates.over(flood, on: &database) == Set(2..<20))
        #expect(try JobRates.over(Array(repeating: try job("quiet", rate: nil), count: 9), on: &database) == [8])
    }

    @Test("Who sends more than the plan allows waits, others do not; nothing is lost, and no attempt is counted")
    func flood() async throws {
        let fleet = try await TestFleet()
        _ = try Plan.apply(TestFleet.plans + [plan("slow", 20)], on: &fleet.database)
        try fleet.startWorker { $0.lanes = [.account: 1, .tenant: 1] }
        let slow = try fleet.makeAccount("slow", plan: "slow")
        let other = try fleet.makeAccount("other")
        // Two more than the ladder has steps, if they were counted as attempts.
        let ids = (0..<60).map { "flood-\($0)" }
        for id in ids { try fleet.send("token.issue", Self.token, token: slow, id: id) }
        #expect(try fleet.ask("token.issue", Self.token, token: other).status == .succeeded)
        #expect(try fleet.number("select count(*) from tenantry.credentials where account = 'slow' and name = 't'") <= 21)
        try await eventually("the worker tells how many wait") {
            try fleet.number("select coalesce(sum(deferred), 0) from tenantry.workers") > 6 * 39
        }
        // The plan is changed, and they go on.
        _ = try Plan.apply(TestFleet.plans + [plan("slow", nil)], on: &fleet.database)
        for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
        await fleet.stop()
        #expect(try fleet.number("select count(*) from tenantry.credentials where account = 'slow' and name = 't'") == 60)
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("A tenant with a plan of its own has its share, too")
    func tenant() async throws {
        let fleet = try await TestFleet()
        _ = try Plan.apply(TestFleet.plans + [plan("slow", 5)], on: &fleet.database)
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("acme-a", token: acme)
        try fleet.makeTenant("acme-b", token: acme)
        try fleet.database.run(script: "update tenantry.tenants set plan = 'slow' where slug = 'acme-a'")
        for number in 0..<8 {
            try fleet.send("conversation.log", TestFleet.log(["m\(number)"]), tenant: "acme-a", token: acme, id: "a\(number)")
        }
        for number in 0..<8 {
            let answer = try fleet.ask("conversation.log", TestFleet.log(["m\(number)"]), tenant: "acme-b", token: acme)
            #expect(answer.status == .succeeded)
        }
        try await eventually("some of the tenant's wait") {
            try fleet.number("select coalesce(sum(deferred), 0) from tenantry.workers") > 0
        }
        #expect(try fleet.number("select count(*) from tenant_acme_a.messages") < 8)
        await fleet.stop()
    }
}
