internal import Foundation
internal import Testing

@Suite("tenantry enqueue")
struct EnqueueTests {
    @Test("--wait prints the answer: 0 for a job that succeeded, 1 for one that was rejected")
    func wait() async throws {
        let instance = try await Instance.shared.value
        let slug = newSlug("enqueue")
        let body = #"{"slug":"\#(slug)","display_name":"E","plan":"pro"}"#
        let first = try await instance.tenantry("enqueue", "account.create", "--wait", "--job-id", slug, input: body)
        #expect(first.status == 0)
        let answer = try #require(try first.json() as? [String: Any])
        #expect(answer["job_id"] as? String == slug)
        #expect((answer["result"] as? [String: Any])?["secret"] as? String != nil)

        let again = try await instance.tenantry("enqueue", "account.create", "--wait", "--job-id", slug, input: body)
        #expect(again.status == 0)
        #expect(again.output.contains(#""duplicate":true"#))
        #expect(!again.output.contains("secret"))

        let taken = try await instance.tenantry("enqueue", "account.create", "--wait", input: body)
        #expect(taken.status == 1)
        #expect(taken.output.contains(#""code":"slug_taken""#))
    }

    @Test("the payload comes from a file, too; without --wait only the sending is reported")
    func file() async throws {
        let instance = try await Instance.shared.value
        let slug = newSlug("file")
        let file = FileManager.default.temporaryDirectory.appending(path: slug)
        defer { try? FileManager.default.removeItem(at: file) }
        try #"{"slug":"\#(slug)","display_name":"E","plan":"pro"}"#.write(to: file, atomically: true, encoding: .utf8)
        let ended = try await instance.tenantry("enqueue", "account.create", "--payload", file.path)
        #expect(ended.status == 0)
        #expect(ended.output.isEmpty)
        #expect(ended.errors == "1 sent\n")
        try await instance.eventually("select count(*) from tenantry.accounts where slug = '\(slug)'", is: "1")
    }

    @Test("--lines sends a job a line, numbers their ids, passes over empty lines, and ends with 1 if any was rejected")
    func lines() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("lines")
        let token = try await instance.makeAccount(account)
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-t","display_name":"T"}"#, token: token)
        let good = (0..<2_500).map { log(["m\($0)"]) }.joined(separator: "\n\n") + "\r\n\n"
        let sent = try await instance.tenantry(
            "enqueue", "conversation.log", "--tenant", "\(account)-t", "--token", token, "--lines", "--wait", "--job-id", "l",
            input: good)
        #expect(sent.status == 0)
        let ids = sent.output.matches(of: /"job_id":"(l-\d+)"/).map { String($0.1) }
        #expect(Set(ids) == Set((1...2_500).map { "l-\($0)" }))
        #expect(ids.count == 2_500)
        #expect(
            try await instance.psql("select count(*) from tenant_\(account.replacing("-", with: "_"))_t.messages") == ["2500"])

        let mixed = try await instance.tenantry(
            "enqueue", "conversation.log", "--tenant", "\(account)-t", "--token", token, "--lines", "--wait",
            input: log(["n1"]) + "\nnot json\n" + log(["n2"]))
        #expect(mixed.status == 1)
        #expect(mixed.output.matches(of: /"status":"succeeded"/).count == 2)
        #expect(mixed.output.matches(of: /"code":"malformed_json"/).count == 1)
    }

    @Test("what is no payload is told before anything is sent")
    func nothing() async throws {
        let instance = try await Instance.shared.value
        for (arguments, complaint) in [
            (["--payload", "/nowhere/p.json"], "/nowhere/p.json cannot be read: No such file or directory"),
            (["--payload", "/tmp"], "/tmp cannot be read: it is no file"), ([], "the payload is empty"),
        ] {
            let ended = try await Program(
                Program.tenantry, ["enqueue", "account.create", "--wait"] + arguments, environment: instance.environment
            ).end()
            #expect(ended.status == 1)
            #expect(ended.errors.contains(complaint), "\(ended.errors)")
        }
        let ended = try await instance.tenantry("enqueue", "account.create", "--job-id", "")
        #expect(ended.status == 64)
    }

    @Test("bytes that are no text are the fleet's to refuse")
    func binary() async throws {
        let instance = try await Instance.shared.value
        let bytes = Data((0...255).map { UInt8($0) })
        let ended = try await Program(
            Program.tenantry, ["enqueue", "account.create", "--wait"], input: bytes, environment: instance.environment
        ).end()
        #expect(ended.status == 1)
        #expect(ended.output.contains(#""code":"malformed_json""#))
    }

    @Test("a kind that does not exist is answered by the fleet")
    func unknownKind() async throws {
        let instance = try await Instance.shared.value
        let answer = try await instance.ask("cats.feed", "{}")
        #expect((answer["error"] as? [String: Any])?["code"] as? String == "unknown_kind")
    }

    @Test("no answer in time is exit code 1, and says that the jobs stay queued")
    func noAnswer() async throws {
        let instance = try await Instance.shared.value
        let token = try await instance.makeAccount(newSlug("late"))
        // Its tenant never comes: the fleet is still trying when the patience of this command is over.
        let ended = try await instance.tenantry(
            "enqueue", "conversation.log", "--tenant", "nobody-here", "--wait", "--timeout", "0", "--token", token,
            input: log(["m"]))
        #expect(ended.status == 1)
        #expect(ended.errors.contains("1 of 1 are still out; the jobs stay queued"))
    }
}
