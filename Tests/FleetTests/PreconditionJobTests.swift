internal import AMQP
internal import Contract
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Accounts
@testable internal import Tenants

/// The header `if-match` of jobs.
@Suite struct PreconditionJobTests {
    private func tenantTag(_ slug: String, _ fleet: TestFleet) throws -> String {
        try #require(try TenantSummary.currentETag(slug, on: &fleet.database))
    }

    /// Asks with a header, and gives the code of a refusal, or `done`.
    private func ask(
        _ kind: String, _ body: String, tenant: String? = nil, token: String, if match: String, id: String = TestFleet.newID(),
        _ fleet: TestFleet
    ) throws -> String {
        let answer = try fleet.ask(kind, body, tenant: tenant, token: token, id: id) { $0.headers["if-match"] = .text(match) }
        return answer.error?.code.rawValue ?? (answer.duplicate ? "repeat" : "done")
    }

    @Test("A job is done only if what it changes has the tag; a repeat is answered before it is looked at")
    func tenants() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: acme)
        let first = try tenantTag("shop", fleet)
        let rename = #"{"display_name":"One"}"#
        let id = "the first"
        #expect(try ask("tenant.update", rename, tenant: "shop", token: acme, if: "\"\(first)\"", id: id, fleet) == "done")
        #expect(try ask("tenant.update", rename, tenant: "shop", token: acme, if: "\"\(first)\"", id: id, fleet) == "repeat")
        let second = try tenantTag("shop", fleet)
        #expect(second != first)
        let other = #"{"display_name":"Two"}"#
        let cases = [
            ("\"\(first)\"", "precondition_failed"), ("W/\"\(second)\"", "precondition_failed"), (second, "invalid_payload"),
            ("", "invalid_payload"), ("\"x\", \"\(second)\"", "done"), ("*", "done"),
        ]
        for (match, expected) in cases {
            #expect(try ask("tenant.update", other, tenant: "shop", token: acme, if: match, fleet) == expected, "\(match)")
        }
        #expect(try fleet.texts("select display_name from tenantry.tenants") == ["Two"])
        // A refused job leaves nothing: under its id it is done once the tag is right. And it is a dead letter.
        let stale = "\"\(first)\""
        #expect(try ask("tenant.suspend", "{}", tenant: "shop", token: acme, if: stale, id: "s", fleet) == "precondition_failed")
        let present = "\"\(try tenantTag("shop", fleet))\""
        #expect(try ask("tenant.suspend", "{}", tenant: "shop", token: acme, if: present, id: "s", fleet) == "done")
        #expect(try fleet.number("select count(*) from tenantry.dead_letters where code = 'precondition_failed'") == 3)
        // Settings alone may be held against their own tag.
        let settings = "\"\(try SettingsRead.currentETag(in: .init("tenant_shop"), on: &fleet.database))\""
        let patch = #"{"settings":{"a":1}}"#
        #expect(try ask("tenant.update", patch, tenant: "shop", token: acme, if: settings, fleet) == "done")
        #expect(try ask("tenant.update", patch, tenant: "shop", token: acme, if: settings, fleet) == "precondition_failed")
        // Kinds, and jobs, that change no one thing.
        #expect(try ask("tenant.create", "{}", token: acme, if: "*", fleet) == "invalid_payload")
        let documents = #"{"external_ids":["a","b"]}"#
        _ = try fleet.ask("tenant.resume", "{}", tenant: "shop", token: acme)
        #expect(try ask("corpus.remove", documents, tenant: "shop", token: acme, if: "*", fleet) == "invalid_payload")
        let one = #"{"external_ids":["a"]}"#
        #expect(try ask("corpus.remove", one, tenant: "shop", token: acme, if: "*", fleet) == "precondition_failed")
        #expect(
            try ask("account.update", #"{"account":"acme","display_name":"A"}"#, token: fleet.operatorToken, if: "\"x\"", fleet)
                == "precondition_failed")
        #expect(
            try ask("account.update", #"{"account":"acme","display_name":"A"}"#, token: fleet.operatorToken, if: "*", fleet)
                == "done")
        await fleet.stop()
    }

    @Test("Of many who have seen the same, one changes it")
    func atOnce() async throws {
        let fleet = try await TestFleet()
        // Each with a connection of its own.
        for _ in 0..<3 { try fleet.startWorker() }
        let acme = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: acme)
        let tag = "\"\(try tenantTag("shop", fleet))\""
        let ids = (0..<12).map { "at-once-\($0)" }
        for id in ids {
            try fleet.send("tenant.update", #"{"display_name":"\#(id)"}"#, tenant: "shop", token: acme, id: id) {
                $0.headers["if-match"] = .text(tag)
            }
        }
        let answers = try ids.map { try fleet.answer(to: $0) }
        #expect(answers.count { $0.status == .succeeded } == 1)
        #expect(answers.count { $0.error?.code == .preconditionFailed } == 11)
        await fleet.stop()
    }
}
