internal import Foundation
internal import TestSupport
internal import Testing

@Suite("Commands for what the HTTP API lists")
struct ListCommandTests {
    /// An account with a tenant; its credential.
    private func prepare(_ instance: Instance) async throws -> (account: String, tenant: String, token: String) {
        let account = newSlug("lists")
        let token = try await instance.makeAccount(account)
        let tenant = "\(account)-shop"
        let made = try await instance.ask(
            "tenant.create", #"{"slug":"\#(tenant)","display_name":"Shop"}"#, token: token, id: "opening")
        try #require(made["status"] as? String == "succeeded", "\(made)")
        return (account, tenant, token)
    }

    /// All rows of a list that is printed two at a time, by the cursors that it names.
    private func pages(_ instance: Instance, _ arguments: [String]) async throws -> [[String: Any]] {
        var rows: [[String: Any]] = []
        var more: [String] = []
        for _ in 0..<10 {
            let ended = try await Program(
                Program.tenantry, arguments + ["--format", "json", "--limit", "2"] + more, environment: instance.environment
            ).end()
            try #require(ended.status == 0, "\(ended)")
            rows += try ended.rows()
            guard let cursor = ended.errors.firstMatch(of: /there is more: --cursor (\S+)\n/) else {
                #expect(ended.errors.isEmpty, "\(ended)")
                return rows
            }
            more = ["--cursor", String(cursor.1)]
        }
        throw TestFailure("\(arguments) does not come to its end")
    }

    private func texts(_ rows: [[String: Any]], _ name: String) -> [String] { rows.map { $0[name] as? String ?? "-" } }

    @Test("documents are listed page by page and by filters, and shown with their passages")
    func corpus() async throws {
        let instance = try await Instance.shared.value
        let (_, tenant, token) = try await prepare(instance)
        let documents = (1...5).map {
            ##"{"external_id":"d\##($0)","title":"Title \##($0)","media_type":"text/markdown","content":"# Part \##($0)\n\nWords of \##($0).","segment":"\##($0 > 3 ? "b" : "a")","tags":["t\##($0)"]}"##
        }
        let ingested = try await instance.ask(
            "corpus.ingest", #"{"documents":[\#(documents.joined(separator: ","))]}"#, tenant: tenant, token: token)
        try #require(ingested["status"] as? String == "succeeded", "\(ingested)")
        let list = ["corpus", "list", tenant]
        #expect(texts(try await pages(instance, list), "external_id") == ["d1", "d2", "d3", "d4", "d5"])
        #expect(texts(try await pages(instance, list + ["--segment", "b"]), "external_id") == ["d4", "d5"])
        #expect(texts(try await pages(instance, list + ["--tag", "t2"]), "title") == ["Title 2"])
        #expect(texts(try await pages(instance, list + ["--query", "E 3", "--state", "ready"]), "external_id") == ["d3"])
        let table = try await instance.tenantry("corpus", "list", tenant)
        #expect(table.output.hasPrefix("external_id  title ") && !table.output.contains("metadata"), "\(table)")
        let shown = try await instance.tenantry("corpus", "show", tenant, "d1")
        let chunks = try #require((try shown.json() as? [String: Any])?["chunks"] as? [[String: Any]], "\(shown)")
        #expect(texts(chunks, "heading") == ["Part 1"])
        #expect(
            try await instance.tenantry("corpus", "show", tenant, "none").errors
                == "Error: tenant \(tenant) has no document none\n")
        #expect(try await instance.tenantry("corpus", "list", "no-one").errors == "Error: there is no tenant no-one\n")
    }

    @Test("conversations are listed page by page and by filters, and shown with their messages")
    func conversations() async throws {
        let instance = try await Instance.shared.value
        let (_, tenant, token) = try await prepare(instance)
        func message(_ id: String, _ user: String, _ content: String, _ time: String) -> String {
            #"{"id":"\#(id)","role":"user","user_id":"\#(user)","content":"\#(content)","sent_at":"2026-11-0\#(time):00Z"}"#
        }
        for (id, channel, messages) in [
            ("c1", "web", (1...5).map { message("m\($0)", "ann", "word \($0)", "1T10:0\($0)") }),
            ("c2", "mail", [message("n1", "bob", "late", "2T10:00")]), ("c3", "web", [message("o1", "bob", "later", "3T10:00")]),
        ] {
            let logged = try await instance.ask(
                "conversation.log",
                #"{"conversation_id":"\#(id)","channel":"\#(channel)","messages":[\#(messages.joined(separator: ","))]}"#,
                tenant: tenant, token: token)
            try #require(logged["status"] as? String == "succeeded", "\(logged)")
        }
        _ = try await instance.ask(
            "conversation.feedback", #"{"conversation_id":"c2","message_id":"n1","rating":-1}"#, tenant: tenant, token: token)
        let list = ["conversation", "list", tenant]
        #expect(texts(try await pages(instance, list), "id") == ["c3", "c2", "c1"])
        for (filter, found) in [
            (["--channel", "web"], ["c3", "c1"]), (["--user-id", "bob"], ["c3", "c2"]), (["--rating=-1"], ["c2"]),
            (["--query", "WORD"], ["c1"]), (["--from", "2026-11-03T00:00:00Z"], ["c3"]),
            (["--to", "2026-11-02T00:00:00Z"], ["c1"]),
        ] { #expect(texts(try await pages(instance, list + filter), "id") == found, "\(filter)") }
        let messages = try await instance.tenantry("conversation", "show", tenant, "c1", "--format", "json").rows()
        #expect(texts(messages, "content") == (1...5).map { "word \($0)" })
        let rated = try await instance.tenantry("conversation", "show", tenant, "c2", "--format", "json").rows()
        #expect(rated.first?["rating"] as? Int == -1, "\(rated)")
        #expect(
            try await instance.tenantry("conversation", "show", tenant, "none").errors
                == "Error: tenant \(tenant) has no conversation none\n")
    }

    @Test("a job is shown to whoever says whose it is, and shows no secret")
    func jobs() async throws {
        let instance = try await Instance.shared.value
        let (account, tenant, token) = try await prepare(instance)
        func show(_ id: String, _ more: String...) async throws -> Ended {
            try await Program(
                Program.tenantry, ["job", "show", id] + more, environment: instance.environment
            ).end()
        }
        let opening = try #require(try await show("opening", "--account", account).json() as? [String: Any])
        #expect(opening["status"] as? String == "succeeded" && opening["kind"] as? String == "tenant.create", "\(opening)")
        #expect((opening["result"] as? [String: Any])?["tenant"] as? String == tenant)
        let issued = try await instance.ask(
            "token.issue", #"{"name":"bot","scopes":["corpus:write","corpus:read"]}"#, tenant: tenant, token: token, id: "issue")
        let result = try #require(issued["result"] as? [String: String], "\(issued)")
        let secret = try #require(result["secret"])
        let kept = try await show("issue", "--account", account)
        #expect(kept.status == 0 && !kept.output.contains(secret), "\(kept)")
        // Sent by the tenant's own token, so it is one of the tenant's.
        _ = try await instance.ask(
            "corpus.remove", #"{"external_ids":["none"]}"#, tenant: tenant, token: "\(result["key"] ?? "").\(secret)", id: "own")
        let own = try #require(
            try await show("own", "--account", account, "--tenant", tenant).json() as? [String: Any])
        #expect(own["kind"] as? String == "corpus.remove", "\(own)")
        for ended in [try await show("own", "--account", account), try await show("opening")] {
            #expect(ended.status == 1 && ended.errors.hasPrefix("Error: there is no job "), "\(ended)")
        }
        let rejected = try await instance.ask("tenant.create", #"{"slug":"x"}"#, token: token, id: "bad")
        #expect(rejected["status"] as? String == "rejected")
        let letter = try #require(try await show("bad", "--account", account).json() as? [String: Any])
        #expect((letter["error"] as? [String: Any])?["code"] as? String == "invalid_payload", "\(letter)")
    }

    @Test("sessions are listed and ended, tokens are listed with their last use")
    func sessions() async throws {
        let instance = try await Instance.shared.value
        let (account, _, token) = try await prepare(instance)
        let (email, password) = ("ann@\(account).ch", "correct horse battery")
        let made = try await instance.ask(
            "admin.create",
            #"{"email":"\#(email)","display_name":"Ann","role":"account_admin","password":"\#(password)"}"#, token: token)
        try #require(made["status"] as? String == "succeeded", "\(made)")
        var credentials: [String] = []
        for _ in 0..<3 {
            let ended = try await instance.tenantry("admin", "sign-in", "--email", email, input: password)
            credentials.append(ended.output.trimmingCharacters(in: .newlines))
        }
        let keys = credentials.map { $0.split(separator: ".").first.map { String($0) } ?? "-" }
        let list = ["admin", "sessions", account]
        #expect(texts(try await pages(instance, list), "key") == keys.reversed())
        let ended = try await instance.tenantry("admin", "end-session", keys[1])
        #expect(ended.status == 0 && ended.output == "session \(keys[1]) has ended\n", "\(ended)")
        #expect(texts(try await pages(instance, list), "key") == [keys[2], keys[0]])
        let again = try await instance.tenantry("admin", "end-session", keys[1])
        #expect(again.status == 1 && again.errors == "Error: there is no session \(keys[1])\n", "\(again)")
        let refused = try await instance.ask("tenant.create", #"{"slug":"x","display_name":"x"}"#, token: credentials[1])
        #expect((refused["error"] as? [String: Any])?["code"] as? String == "unauthenticated", "\(refused)")
        let audit = try await instance.tenantry(
            "audit", "list", "--account", account, "--kind", "admin.sign_out", "--format", "json"
        ).rows()
        #expect(audit.count == 1)

        for name in ["one", "two", "three"] {
            _ = try await instance.ask("token.issue", #"{"name":"\#(name)","scopes":["usage:read"]}"#, token: token)
        }
        let tokens = try await pages(instance, ["token", "list", account])
        #expect(texts(tokens, "name") == ["three", "two", "one"])
        let log = try await pages(instance, ["audit", "list", "--account", account])
        #expect(texts(log.suffix(2), "kind") == ["tenant.create", "account.create"])
        #expect(texts(try await pages(instance, ["account", "list"]), "slug").contains(account))
    }
}
