internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// `template.save`, `template.remove` and `template.apply`.
@Suite(.serialized) struct TemplateHandlerTests {
    private func document(_ id: String, _ content: String, more: String = "") throws -> String {
        let quoted = String(decoding: JSONValue.string(content).serialised(), as: UTF8.self)
        return #"{"external_id":"\#(id)","title":"About \#(id)","media_type":"text/markdown","content":\#(quoted)\#(more)}"#
    }

    private func template(_ name: String, _ documents: [String], settings: String = "{}") -> String {
        #"{"name":"\#(name)","settings":\#(settings),"documents":[\#(documents.joined(separator: ","))]}"#
    }

    /// `<external_id> <status>` of each document, and the keys of the settings.
    private func outcome(_ answer: Answer) -> [String] {
        guard case .array(let documents)? = answer.result?["documents"], case .array(let keys)? = answer.result?["settings"]
        else {
            return ["\(answer)"]
        }
        return (documents + keys).map { entry in
            if case .string(let key) = entry { return key }
            guard case .string(let id)? = entry["external_id"], case .string(let status)? = entry["status"] else {
                return "\(entry)"
            }
            guard case .string(let other)? = entry["duplicate_of"] else { return "\(id) \(status)" }
            return "\(id) \(status) \(other)"
        }
    }

    private func apply(_ name: String, to tenant: String, _ fleet: TestFleet, token: String) throws -> [String] {
        outcome(try fleet.ask("template.apply", #"{"template":"\#(name)"}"#, tenant: tenant, token: token))
    }

    private func expectExactCounters(_ tenant: String, _ fleet: TestFleet) throws {
        let gauges = "from tenantry.tenant_usage where tenant = '\(tenant)' and period_start = '-infinity'"
        let documents = "from tenant_\(tenant).documents"
        #expect(try fleet.number("select documents \(gauges)") == fleet.number("select count(*) \(documents)"))
        #expect(try fleet.number("select corpus_bytes \(gauges)") == fleet.number("select sum(content_bytes)::int8 \(documents)"))
        let chunks = "select sum(chunk_count)::int8 \(documents)"
        #expect(try fleet.number("select count(*) from tenant_\(tenant).chunks") == fleet.number(chunks))
    }

    private let guide = "# Breakfast\n\nBreakfast is served from seven to ten.\n\n## Late risers\n\nCoffee is served all day.\n"
    private let german = "# Hausordnung\n\nDie Haustüren werden um zweiundzwanzig Uhr geschlossen.\n"

    @Test(
        "A tenant that is given a template has what another has that ingested its documents, and an ingestion finds nothing new")
    func likeAnIngestion() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        for slug in ["given", "taught"] { try fleet.makeTenant(slug, token: account) }
        let documents = try [
            document("guide", guide, more: #","language":"en","tags":["a","b"],"priority":3,"segment":"s","metadata":{"k":1}"#),
            document("rules", german),
        ]
        let saved = try fleet.ask(
            "template.save", template("hotel", documents, settings: #"{"tone":"kind","greeting":{"de":"Grüezi"}}"#),
            token: account)
        #expect(saved.result == ["template": "hotel", "documents": 2, "chunks": 3])
        #expect(try apply("hotel", to: "given", fleet, token: account) == ["guide created", "rules created", "greeting", "tone"])
        let body = #"{"documents":[\#(documents.joined(separator: ","))]}"#
        #expect(try fleet.ask("corpus.ingest", body, tenant: "taught", token: account).status == .succeeded)
        func difference(_ columns: String, _ table: String) throws -> Int64 {
            let (one, other) = ("select \(columns) from tenant_given.\(table)", "select \(columns) from tenant_taught.\(table)")
            return try fleet.number("select count(*) from ((\(one) except \(other)) union all (\(other) except \(one))) d")
        }
        #expect(
            try difference(
                """
                external_id, title, media_type, content_hash, content_bytes, chunk_count, attributes, language, search_config, segment, priority,
                tags, metadata
                """, "documents") == 0)
        #expect(try difference("document, position, heading, content, token_count, search", "chunks") == 0)
        #expect(try fleet.texts("select value #>> '{de}' from tenant_given.settings where key = 'greeting'") == ["Grüezi"])
        for tenant in ["given", "taught"] { try expectExactCounters(tenant, fleet) }

        let again = try fleet.ask("corpus.ingest", body, tenant: "given", token: account)
        #expect(again.result?["documents"]?.texts("status") == ["unchanged", "unchanged"])
        #expect(
            try apply("hotel", to: "taught", fleet, token: account) == ["guide unchanged", "rules unchanged", "greeting", "tone"])
        for tenant in ["given", "taught"] { try expectExactCounters(tenant, fleet) }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("Chunks are copied, not made again")
    func copies() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        _ = try fleet.ask("template.save", template("t", [document("guide", guide)]), token: account)
        try fleet.database.run(script: "update tenantry.template_chunks set content = 'by hand', search = 'unheard'::tsvector")
        #expect(try apply("t", to: "shop", fleet, token: account) == ["guide created"])
        #expect(try fleet.texts("select distinct content from tenant_shop.chunks") == ["by hand"])
        #expect(try fleet.number("select count(*) from tenant_shop.chunks where search @@ 'unheard'::tsquery") == 2)
        await fleet.stop()
    }

    @Test(
        "A template that is saved again or removed changes no tenant; applied again, it judges each document as an ingestion would"
    )
    func again() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        let first = try template(
            "t", [document("a", "One."), document("b", "Two."), document("c", "Two.")], settings: #"{"x":1,"y":1}"#)
        #expect(try fleet.ask("template.save", first, token: account).result?["documents"] == 3)
        #expect(try apply("t", to: "shop", fleet, token: account) == ["a created", "b created", "c duplicate_of b", "x", "y"])
        try expectExactCounters("shop", fleet)
        let own = #"{"documents":[\#(try document("own", "Four."))]}"#
        #expect(try fleet.ask("corpus.ingest", own, tenant: "shop", token: account).status == .succeeded)

        func held() throws -> [String] {
            try fleet.texts("select external_id || ' ' || content from tenant_shop.chunks order by 1")
                + fleet.texts("select key || ' ' || value from tenant_shop.settings order by 1")
        }
        let before = ["a One.", "b Two.", "own Four.", "x 1", "y 1"]
        let second = try template(
            "t", [document("c", "Three, at last."), document("a", "One, longer."), document("d", "Four.")],
            settings: #"{"y":2,"z":2}"#)
        #expect(try fleet.ask("template.save", second, token: account).result?["documents"] == 3)
        #expect(try held() == before, "saving a template changes no tenant")
        #expect(
            try apply("t", to: "shop", fleet, token: account) == ["c created", "a updated", "d duplicate_of own", "y", "z"])
        let after = ["a One, longer.", "b Two.", "c Three, at last.", "own Four.", "x 1", "y 2", "z 2"]
        #expect(try held() == after)
        try expectExactCounters("shop", fleet)

        #expect(try fleet.ask("template.remove", #"{"name":"t"}"#, token: account).result == ["template": "t"])
        #expect(try held() == after, "removing a template changes no tenant")
        #expect(try fleet.number("select count(*) from tenantry.template_chunks") == 0)
        await fleet.stop()
    }

    @Test("What is not there or not in order is refused with its place, and leaves the template as it was")
    func refused() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let stranger = try fleet.makeAccount("else")
        try fleet.makeTenant("shop", token: account)
        try fleet.makeTenant("foreign", token: stranger)
        #expect(try fleet.ask("template.save", template("t", [document("a", "One.")]), token: account).status == .succeeded)
        let broken = #"{"external_id":"b","title":"b","media_type":"application/json","content":"{"}"#
        let calls: [(kind: String, body: String, tenant: String?, token: String, field: String)] = try [
            ("template.save", template("t", [document("a", "Two."), broken]), nil, account, "/documents/1/content"),
            (
                "template.save", template("t", [document("a", "Two."), document("a", "Three.")]), nil, account,
                "/documents/1/external_id"
            ),
            ("template.save", #"{"name":""}"#, nil, account, "/name"),
            ("template.save", #"{"name":"t","settings":[]}"#, nil, account, "/settings"),
            ("template.remove", #"{"name":"T"}"#, nil, account, "/name"),
            ("template.apply", #"{"template":"unknown"}"#, "shop", account, "/template"),
            // Another account's is as good as none.
            ("template.apply", #"{"template":"t"}"#, "foreign", stranger, "/template"),
            ("template.remove", #"{"name":"t"}"#, nil, stranger, "/name"),
        ]
        for call in calls {
            let answer = try fleet.ask(call.kind, call.body, tenant: call.tenant, token: call.token)
            #expect(answer.error?.code == .invalidPayload && answer.error?.field == call.field, "\(call): \(answer)")
        }
        #expect(try fleet.texts("select content from tenantry.template_chunks") == ["One."])
        await fleet.stop()
    }

    @Test("A hard limit refuses the whole template and names itself")
    func limits() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme", plan: "small")
        try fleet.makeTenant("shop", token: account)
        let three = try ["a", "b", "c"].map { try document($0, "About \($0).") }
        let cases: [(documents: [String], metric: String)] = try [
            (three, "documents"), ([document("long", String(repeating: "word ", count: 201))], "corpus_bytes"),
        ]
        for (documents, metric) in cases {
            #expect(
                try fleet.ask("template.save", template("t", documents, settings: #"{"x":1}"#), token: account).status
                    == .succeeded)
            let answer = try fleet.ask("template.apply", #"{"template":"t"}"#, tenant: "shop", token: account)
            #expect(answer.error?.code == .limitReached, "\(answer)")
            #expect(answer.error?.message.contains("its limit of \(metric): limit") == true, "\(answer)")
            #expect(try fleet.number("select count(*) from tenant_shop.documents") == 0)
            #expect(try fleet.number("select count(*) from tenant_shop.settings") == 0)
        }
        #expect(try fleet.ask("template.save", template("t", Array(three.prefix(2))), token: account).status == .succeeded)
        #expect(try apply("t", to: "shop", fleet, token: account) == ["a created", "b created"])
        await fleet.stop()
    }

    @Test("Whoever applies a template while it is saved and removed is given one state of it, whole")
    func atOnce() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let tenants = (0..<4).map { "shop\($0)" }
        for tenant in tenants { try fleet.makeTenant(tenant, token: account) }
        await fleet.stop()

        // Each state has names of its own, so that a tenant keeps what it was given of every one.
        func state(_ number: Int) throws -> String {
            let documents = try (0..<3).map { try document("s\(number)-\($0)", "State \(number), document \($0).") }
            return template("t", documents, settings: #"{"s\#(number)":true}"#)
        }
        var applied: [String] = []
        for round in 0..<40 {
            if round % 5 == 4 {
                try fleet.send("template.remove", #"{"name":"t"}"#, token: account)
            } else {
                try fleet.send("template.save", state(round), token: account)
            }
            for tenant in tenants {
                applied.append(TestFleet.newID())
                try fleet.send("template.apply", #"{"template":"t"}"#, tenant: tenant, token: account, id: applied.last!)
            }
        }
        try fleet.startWorker { $0.lanes = [.tenant: 6, .usage: 1] }
        var states: Set<String> = []
        for id in applied {
            let answer = try fleet.answer(to: id)
            if let error = answer.error {
                #expect(error.code == .invalidPayload && error.field == "/template", "\(error)")
                continue
            }
            let named = outcome(answer)
            let state = try #require(named.last)
            #expect(named.count == 4 && named.allSatisfy { $0.hasPrefix(state) }, "\(named)")
            states.insert(state)
        }
        #expect(states.count > 1)
        await fleet.stop()
        for tenant in tenants {
            #expect(
                try fleet.texts(
                    """
                    select s.key from tenant_\(tenant).settings s full join (
                        select split_part(external_id, '-', 1) as state, count(*) as chunks from tenant_\(tenant).chunks group by 1
                    ) c on c.state = s.key
                    where s.key is null or c.chunks is distinct from 3
                    """) == [], "\(tenant) has each state that it was given whole")
            try expectExactCounters(tenant, fleet)
        }
    }
}

extension JSONValue {
    /// A text of each object of a list.
    fileprivate func texts(_ name: String) -> [String] {
        guard case .array(let entries) = self else { return ["\(self)"] }
        return entries.map { if case .string(let text)? = $0[name] { text } else { "\($0)" } }
    }
}
