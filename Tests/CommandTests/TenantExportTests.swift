internal import Foundation
internal import TestSupport
internal import Testing

@Suite("tenantry tenant export")
struct TenantExportTests {
    /// What JSON and COPY each have their own way to write.
    private static let awkward = "\"quotes\", back\\slash \\n, tab\tline\nfeed\r, \u{1}\u{2}\u{7f}, ünïcode 🦊, {\"a\":1}, \\."

    private func lines(_ text: String) throws -> [[String: Any]] {
        try text.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }

    private func json(_ value: Any) throws -> String {
        String(
            decoding: try JSONSerialization.data(withJSONObject: value, options: [.fragmentsAllowed, .withoutEscapingSlashes]),
            as: UTF8.self)
    }

    /// A tenant with something of everything.
    private func fill(_ instance: Instance, _ slug: String, token: String) async throws {
        let text = try json(Self.awkward)
        let made = try await instance.ask(
            "tenant.create",
            #"{"slug":"\#(slug)","display_name":\#(text),"settings":{"b":{"x":\#(text)},"a":7},"limits":{"messages":99}}"#,
            token: token)
        #expect(made["status"] as? String == "succeeded", "\(made)")
        let messages = (0..<3).map { index in
            #"{"id":"m\#(index)","role":"user","user_id":"u","content":\#(text),"sent_at":"2026-07-0\#(index + 1)T08:00:00Z","metadata":{"k":\#(text)},"tokens_in":\#(index)}"#
        }
        for (conversation, part) in [("c1", messages[0..<2]), ("c2", messages[2..<3])] {
            _ = try await instance.ask(
                "conversation.log",
                #"{"conversation_id":"\#(conversation)","channel":"web","messages":[\#(part.joined(separator: ","))]}"#,
                tenant: slug, token: token)
        }
        let rated = try await instance.ask(
            "conversation.feedback", #"{"conversation_id":"c1","message_id":"m1","rating":-1,"comment":\#(text)}"#, tenant: slug,
            token: token)
        #expect(rated["status"] as? String == "succeeded", "\(rated)")
        let document =
            #"{"external_id":"d1","title":\#(text),"media_type":"text/plain","content":\#(text),"tags":["t"],"metadata":{"n":1}}"#
        let ingested = try await instance.ask("corpus.ingest", #"{"documents":[\#(document)]}"#, tenant: slug, token: token)
        #expect(ingested["status"] as? String == "succeeded", "\(ingested)")
    }

    @Test("what was sent is what is read back, line by line; also of a suspended and an archived tenant, and in a file")
    func readBack() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("export")
        let slug = "\(account)-t"
        let token = try await instance.makeAccount(account)
        try await fill(instance, slug, token: token)
        let ended = try await instance.tenantry("tenant", "export", slug)
        #expect(ended.status == 0, "\(ended)")
        #expect(ended.errors == "10 lines of tenant \(slug) written\n")
        let all = try lines(ended.output)
        #expect(
            all.compactMap { $0["type"] as? String } == [
                "tenant", "setting", "setting", "document", "conversation", "conversation", "message", "message", "message",
                "end",
            ])
        #expect(
            all[0]["tenant"] as? String == slug && all[0]["account"] as? String == account
                && all[0]["state"] as? String == "active")
        #expect(all[0]["display_name"] as? String == Self.awkward && (all[0]["limits"] as? [String: Int]) == ["messages": 99])
        #expect(all[1]["key"] as? String == "a" && all[1]["value"] as? Int == 7)
        #expect((all[2]["value"] as? [String: String]) == ["x": Self.awkward])
        let chunks = try #require(all[3]["chunks"] as? [[String: Any]])
        #expect(all[3]["title"] as? String == Self.awkward && all[3]["tags"] as? [String] == ["t"])
        #expect(chunks.count == 1 && (chunks[0]["content"] as? String)?.contains("ünïcode 🦊") == true)
        #expect(all[4]["id"] as? String == "c1" && all[4]["channel"] as? String == "web" && all[4]["message_count"] as? Int == 2)
        for index in 0..<3 {
            let message = all[6 + index]
            #expect(message["id"] as? String == "m\(index)" && message["content"] as? String == Self.awkward)
            #expect((message["metadata"] as? [String: String]) == ["k": Self.awkward] && message["tokens_in"] as? Int == index)
            #expect(message["sent_at"] as? String == "2026-07-0\(index + 1)T08:00:00+00:00")
        }
        #expect(
            all[7]["rating"] as? Int == -1 && all[7]["rating_comment"] as? String == Self.awkward && all[6]["rating"] is NSNull)
        #expect(all[9]["lines"] as? Int == 9)

        for (kind, state) in [("tenant.suspend", "suspended"), ("tenant.delete", "archived")] {
            _ = try await instance.ask(kind, "{}", tenant: slug, token: token)
            let file = FileManager.default.temporaryDirectory.appending(path: newSlug("export") + ".jsonl")
            defer { try? FileManager.default.removeItem(at: file) }
            let written = try await instance.tenantry("tenant", "export", slug, "--output", file.path)
            #expect(written.status == 0 && written.output.isEmpty, "\(written)")
            let found = try lines(String(contentsOf: file, encoding: .utf8))
            #expect(found.count == 10 && found[0]["state"] as? String == state)
            #expect(!FileManager.default.fileExists(atPath: file.path + ".part"))
        }
        _ = try await instance.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: slug, token: token)
        let gone = try await instance.tenantry("tenant", "export", slug)
        #expect(gone.status == 1 && gone.output.isEmpty && gone.errors == "Error: tenant \(slug) was purged\n")
    }

    @Test(
        "an export that cannot be whole is an error: no such tenant, no place to write, a reader that goes away, a table that is gone"
    )
    func failures() async throws {
        let instance = try await Instance.shared.value
        let unknown = try await instance.tenantry("tenant", "export", "nobody-here")
        #expect(unknown.status == 1 && unknown.errors == "Error: there is no tenant nobody-here\n")
        let account = newSlug("broken")
        let slug = "\(account)-t"
        let token = try await instance.makeAccount(account)
        try await fill(instance, slug, token: token)
        let unwritable = try await instance.tenantry("tenant", "export", slug, "-o", "/nowhere/at/all")
        #expect(unwritable.status == 1 && unwritable.errors.hasPrefix("Error: /nowhere/at/all cannot be written: "))
        let full = try await Program(
            "/bin/sh", ["-c", "exec \(Program.tenantry) tenant export \(slug) > /dev/full"], environment: instance.environment
        ).end()
        #expect(full.status == 1 && full.errors.contains("standard output cannot be written"), "\(full)")
        let schema = "tenant_" + slug.replacingOccurrences(of: "-", with: "_")
        _ = try await instance.psql("alter table \(schema).messages rename column model to modell")
        let file = FileManager.default.temporaryDirectory.appending(path: newSlug("export"))
        let partial = try await instance.tenantry("tenant", "export", slug, "-o", file.path)
        #expect(partial.status == 1 && partial.errors.contains("model"), "\(partial)")
        for path in [file.path, file.path + ".part"] { #expect(!FileManager.default.fileExists(atPath: path)) }
    }
}
