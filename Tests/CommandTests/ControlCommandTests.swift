internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@Suite("What must not wait for the broker")
struct ControlCommandTests {
    @Test("a suspension, its end and a withdrawn token hold for the next job, and each is in the audit log")
    func atOnce() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        let token = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
        func code(_ id: String, token: String) throws -> ErrorCode? {
            try fleet.ask("conversation.log", TestFleet.log([id]), tenant: "shop", token: token).error?.code
        }
        // Without the broker's address: it may be away.
        func command(_ arguments: String...) async throws -> Ended {
            try await Program(Program.tenantry, arguments, environment: ["TENANTRY_DATABASE_URL": fleet.databaseURL]).end()
        }
        #expect(try code("1", token: token) == nil)
        #expect(try await command("tenant", "suspend", "shop").output == "tenant shop is suspended\n")
        #expect(try code("2", token: token) == .tenantSuspended)
        #expect(try await command("tenant", "resume", "shop").output == "tenant shop is active\n")
        #expect(try code("3", token: token) == nil)
        #expect(try await command("account", "suspend", "acme").output == "account acme is suspended\n")
        #expect(try code("4", token: account) == .forbidden)
        #expect(try await command("account", "resume", "acme").output == "account acme is active\n")
        #expect(try code("5", token: account) == nil)
        let key = String(token.prefix { $0 != "." })
        #expect(try await command("token", "revoke", key).output == "revoked \(key)\n")
        #expect(try code("6", token: token) == .unauthenticated)

        for (call, message) in [
            (["token", "revoke", key], "there is no valid token \(key)"),
            (["tenant", "suspend", "nobody"], "there is no tenant nobody"),
            (["account", "resume", "nobody"], "there is no account nobody"),
        ] {
            let ended = try await Program(
                Program.tenantry, call, environment: ["TENANTRY_DATABASE_URL": fleet.databaseURL]
            ).end()
            #expect(ended.status == 1 && ended.errors == "Error: \(message)\n", "\(ended)")
        }
        #expect(
            try fleet.texts("select kind from tenantry.audit_log where credential = 'command' order by id") == [
                "tenant.suspend", "tenant.resume", "account.suspend", "account.resume", "token.revoke",
            ])
        await fleet.stop()
    }
}
