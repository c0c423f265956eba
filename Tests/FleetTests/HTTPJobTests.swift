internal import AMQP
internal import Contract
internal import Foundation
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// The rows of jobs that came by HTTP, ended by workers.
@Suite struct HTTPJobTests {
    /// Writes the row as the API does before it publishes.
    private func open(
        _ id: String, _ kind: String, tenant: String = "", token: String, account: String = "acme", scope: String = "",
        _ fleet: TestFleet
    ) throws {
        let key = token.split(separator: ".")[0]
        var api = try Postgres.Connection(ConnectionOptions(url: fleet.testDatabase.apiURL))
        try api.run(
            script: """
                insert into tenantry.http_jobs (account, scope, job_id, kind, tenant, credential)
                values ('\(account)', '\(scope)', '\(id)', '\(kind)', '\(tenant)', '\(key)')
                """)
    }

    private func mark(_ properties: inout Properties) { properties.headers[Header.http.name] = true }

    /// Status, duplicate, result and error of a job's row.
    private func row(_ id: String, _ fleet: TestFleet) throws -> String {
        try fleet.texts(
            """
            select concat_ws(' ', status, duplicate, result, error ->> 'code', case when finished_at is null then 'open' end)
            from tenantry.http_jobs where job_id = '\(id)'
            """
        ).first ?? "none"
    }

    @Test("Where the use of a credential cannot be noted, its job is done and answered all the same, once")
    func unnoted() async throws {
        let fleet = try await TestFleet()
        try fleet.database.run(script: "alter table tenantry.credential_uses rename to elsewhere")
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        for number in 1...3 { try fleet.makeTenant("shop-\(number)", token: acme) }
        #expect(try fleet.number("select sum(rejected + retried)::int8 from tenantry.workers") == 0)
        try fleet.database.run(script: "alter table tenantry.elsewhere rename to credential_uses")
        // Later uses are noted.
        try await eventually("uses are noted again") {
            _ = try fleet.ask("usage.aggregate", "{}", token: acme)
            return try fleet.number("select count(*) from tenantry.credential_uses") > 0
        }
        await fleet.stop()
    }

    @Test("A row is ended as the job ends, without the secret that the answer shows; a row that nobody asked for is not made")
    func ends() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme", plan: "small")
        try open("made", "tenant.create", token: acme, fleet)
        #expect(try row("made", fleet) == "pending f open")
        let body = #"{"slug":"shop","display_name":"Shop"}"#
        #expect(try fleet.ask("tenant.create", body, token: acme, id: "made", adjust: mark).status == .succeeded)
        let made = try row("made", fleet)
        #expect(made.hasPrefix("succeeded f {") && made.contains("tenant_shop"), "\(made)")

        // Outside of the job, its lane has noted the credential's use.
        let key = acme.split(separator: ".")[0]
        try await eventually("the use is noted") {
            try fleet.number("select count(*) from tenantry.credential_uses where key = '\(key)'") == 1
        }

        // A repeat is answered as one, and the row stays as it was.
        #expect(try fleet.ask("tenant.create", body, token: acme, id: "made", adjust: mark).duplicate)
        #expect(try row("made", fleet) == made)
        // The same id for something else is a conflict, and says nothing against what was done.
        let other = try fleet.ask("tenant.create", #"{"slug":"x2","display_name":"X"}"#, token: acme, id: "made", adjust: mark)
        #expect(other.error?.code == .conflict)
        #expect(try row("made", fleet) == made)

        try open("secret", "token.issue", tenant: "shop", token: acme, fleet)
        let issued = try fleet.ask(
            "token.issue", #"{"name":"t","scopes":["corpus:write"]}"#, tenant: "shop", token: acme, id: "secret", adjust: mark)
        guard case .string(let tokenKey)? = issued.result?["key"], case .string(let secret)? = issued.result?["secret"] else {
            throw TestFailure("\(issued)")
        }
        #expect(try row("secret", fleet) == #"succeeded f {"key": "\#(tokenKey)"}"#)
        #expect(try fleet.number("select count(*) from tenantry.http_jobs j where strpos(j::text, '\(secret)') > 0") == 0)

        // The kind without an inbox; and one that was done by AMQP before, where the row tells the first answer.
        try open("log", "conversation.log", tenant: "shop", token: acme, fleet)
        _ = try fleet.ask("conversation.log", TestFleet.log(["m"]), tenant: "shop", token: acme, id: "log", adjust: mark)
        #expect(try row("log", fleet) == #"succeeded f {"accepted": 1, "duplicates": 0}"#)
        _ = try fleet.ask("tenant.suspend", "{}", tenant: "shop", token: acme, id: "before")
        try open("before", "tenant.suspend", tenant: "shop", token: acme, fleet)
        #expect(try fleet.ask("tenant.suspend", "{}", tenant: "shop", token: acme, id: "before", adjust: mark).duplicate)
        #expect(try row("before", fleet).hasPrefix("succeeded t {"))

        _ = try fleet.ask("tenant.resume", "{}", tenant: "shop", token: acme, id: "nobody", adjust: mark)
        _ = try fleet.ask("tenant.update", #"{"display_name":"S"}"#, tenant: "shop", token: acme, id: "plain")
        #expect(try fleet.number("select count(*) from tenantry.http_jobs where job_id in ('nobody', 'plain')") == 0)
        await fleet.stop()
    }

    @Test(
        "A rejected job's row says why; replayed once its cause is mended, it is succeeded. One that is tried again stays pending"
    )
    func rejected() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.ladder = RetryLadder(delaysMilliseconds: [50, 2_000], stepsForMissingTenant: 2) }
        let acme = try fleet.makeAccount("acme")
        try open("wrong", "tenant.create", token: acme, fleet)
        let body = #"{"slug":"shop","display_name":"Shop","plan":"soon"}"#
        #expect(try fleet.ask("tenant.create", body, token: acme, id: "wrong", adjust: mark).status == .rejected)
        #expect(try row("wrong", fleet) == "rejected f invalid_payload")
        #expect(try fleet.texts("select error ->> 'field' from tenantry.http_jobs") == ["/plan"])
        _ = try Plan.apply(
            TestFleet.plans.map { plan in
                var plan = plan
                plan.tenantPlans.append("soon")
                return plan
            } + [Plan(name: "soon", displayName: "Soon", thresholds: [100], limits: [:])], on: &fleet.database)
        let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
        try queue.replay(try #require(try queue.next()))
        queue.close()
        #expect(try fleet.answer(to: "wrong").status == .succeeded)
        #expect(try row("wrong", fleet).hasPrefix("succeeded f {"))

        // Of a tenant that is not there yet.
        try open("later", "tenant.update", tenant: "late", token: acme, fleet)
        try fleet.send("tenant.update", #"{"display_name":"L"}"#, tenant: "late", token: acme, id: "later", adjust: mark)
        try await eventually("it waits for its second attempt") {
            try fleet.number("select count(*) from tenantry.dead_letters where job_id = 'later'") == 0
        }
        #expect(try row("later", fleet) == "pending f open")
        #expect(try fleet.answer(to: "later").error?.code == .tenantUnknown)
        #expect(try row("later", fleet) == "rejected f tenant_unknown")
        await fleet.stop()
    }

    @Test("Of a credential that was withdrawn meanwhile, the row is ended too; a stranger who knows key and id ends nothing")
    func withdrawn() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: acme)
        let token = try fleet.makeToken(["settings:write"], tenant: "shop", token: acme)
        let key = String(token.split(separator: ".")[0])
        try open("mine", "tenant.update", tenant: "shop", token: token, scope: "shop", fleet)
        #expect(try fleet.ask("token.revoke", #"{"key":"\#(key)"}"#, tenant: "shop", token: acme).status == .succeeded)
        let body = #"{"settings":{"a":1}}"#
        let forged = try fleet.ask("tenant.update", body, tenant: "shop", token: "\(key).guess", id: "mine", adjust: mark)
        #expect(forged.error?.code == .unauthenticated)
        #expect(try row("mine", fleet) == "pending f open")
        _ = try fleet.ask("tenant.update", body, tenant: "shop", token: token, id: "mine", adjust: mark)
        #expect(try row("mine", fleet) == "rejected f unauthenticated")
        await fleet.stop()
    }
}
