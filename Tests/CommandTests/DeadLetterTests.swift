internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@Suite("tenantry dead")
struct DeadLetterTests {
    @Test(
        "a rejected job is listed, counted, shown without its secret, replayed once its cause is mended, and others are discarded"
    )
    func letters() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = newSlug("dead")
        let token = try fleet.makeAccount(account)
        let secret = String(token.split(separator: ".")[1])
        let environment = [
            "TENANTRY_AMQP_URL": fleet.brokerURL, "TENANTRY_DATABASE_URL": fleet.databaseURL,
            "TENANTRY_WORKER_DATABASE_URL": fleet.workerDatabaseURL, "TENANTRY_TOKEN": token,
        ]
        func dead(_ arguments: String...) async throws -> Ended {
            try await Program(Program.tenantry, ["dead"] + arguments, environment: environment).end()
        }
        // One whose tenant comes too late, one that is wrong for good, one whose credential is all secret.
        #expect(
            try fleet.ask("conversation.log", TestFleet.log(["m"]), tenant: "\(account)-t", token: token, id: "early").error
                != nil)
        #expect(
            try fleet.ask("tenant.create", #"{"slug":3}"#, token: token, id: "wrong").error != nil)
        #expect(try fleet.ask("usage.aggregate", "{}", token: "only-a-secret", id: "bare").error != nil)

        var rows = try await dead("list", "--format", "json").rows()
        #expect(rows.map { $0["job_id"] as? String }.compactMap { $0 }.sorted() == ["bare", "early", "wrong"])
        rows = try await dead("list", "--code", "tenant_unknown", "--format", "json").rows()
        #expect(rows.map { $0["job_id"] as? String } == ["early"])
        #expect(rows.first?["attempts"] as? Int == 4)
        #expect(try await dead("list", "--kind", "usage.aggregate", "--format", "json").rows().count == 1)
        #expect(try await dead("list", "--limit", "1", "--format", "json").rows().count == 1)

        #expect(rows.first?["sealed"] as? Bool == true && rows.first?["account"] as? String == account)
        rows = try await dead("count", "--by", "code", "--by", "account", "--format", "json").rows()
        #expect(rows.count == 3 && rows.allSatisfy { $0["letters"] as? Int == 1 })
        #expect(rows.first { $0["code"] as? String == "unauthenticated" }?["account"] is NSNull)
        #expect(try await dead("count", "--by", "kind", "--code", "tenant_unknown").output.contains("conversation.log"))

        let shown = try await dead("show", "early")
        #expect(shown.status == 0)
        #expect(shown.output.contains("error:         tenant_unknown"))
        #expect(shown.output.contains("x-tenantry-key: \(token.split(separator: ".")[0])\n"))
        #expect(!shown.output.contains("authorization"))
        #expect(shown.output.contains(#""conversation_id":"c""#))
        #expect(!shown.output.contains(secret))
        let bare = try await dead("show", "bare")
        #expect(!bare.output.contains("only-a-secret"))
        let none = try await dead("show", "never")
        #expect(none.status == 1)
        #expect(none.errors == "Error: no dead letter has the job id never\n")

        try fleet.makeTenant("\(account)-t", token: token)
        let replayed = try await dead("replay", "early")
        #expect(replayed.output == "1 replayed\n")
        #expect(try fleet.answer(to: "early").status == .succeeded)
        #expect(try await dead("replay", "early").status == 1)

        // An environment variable is not enough for a job that nobody has vouched for.
        let unsealed = try await dead("replay", "bare")
        #expect(unsealed.status == 1 && unsealed.output == "0 replayed\n" && unsealed.errors.contains("--token-file"))
        let file = FileManager.default.temporaryDirectory.appending(path: newSlug("token"))
        defer { try? FileManager.default.removeItem(at: file) }
        try token.write(to: file, atomically: true, encoding: .utf8)
        #expect(try await dead("replay", "bare", "--token-file", file.path).output == "1 replayed\n")
        #expect(try fleet.answer(to: "bare").status == .succeeded)

        #expect(try await dead("discard", "--code", "invalid_payload").output.hasSuffix("discarded\n"))
        #expect(try await dead("discard", "--all").status == 0)
        #expect(try await dead("list", "--format", "json").rows().isEmpty)
        #expect(try await dead("discard", "--all").output == "0 discarded\n")
        await fleet.stop()
    }
}
