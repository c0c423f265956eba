internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

/// What grows by many jobs has a bound: settings, and the metadata of a conversation.
@Suite struct GrowthTests {
    private func log(_ id: String, conversation: String = "c", metadata: String? = nil, ofMessage: String? = nil) -> String {
        let own = ofMessage.map { #","metadata":\#($0)"# } ?? ""
        let message = #"{"id":"\#(id)","role":"user","content":"hello","sent_at":"2026-10-01T12:00:00Z"\#(own)}"#
        return
            #"{"conversation_id":"\#(conversation)"\#(metadata.map { #","metadata":\#($0)"# } ?? ""),"messages":[\#(message)]}"#
    }

    private func member(_ name: String, _ bytes: Int) -> String { #"{"\#(name)":"\#(String(repeating: "x", count: bytes))"}"# }

    private func shop(_ stage: HandlerStage) throws -> Principal {
        let acme = try stage.makeAccount("acme")
        try stage.makeTenant("shop", by: acme)
        return acme
    }

    private let metadataBytes = "select max(octet_length(metadata::text)) from tenant_shop.conversations"

    @Test(arguments: [(1_000, ErrorCode.limitReached), (900_000, .payloadTooLarge)])
    func `Metadata that is merged in 24 jobs stays below its bound, and what is refused has left nothing`(
        bytes: Int, code: ErrorCode
    ) async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            var refused: [String] = []
            for job in 0..<24 {
                let body = log("m\(job)", metadata: member("key\(job)", bytes))
                let answer = try stage.ask("conversation.log", body, tenant: "shop", by: acme)
                guard let error = answer.error else { continue }
                #expect(error.code == code && error.field == "/metadata" && error.message.contains("at most 16384"), "\(error)")
                let limit = ReachedLimit.bound(Bounds.metadataBytes, value: try stage.number(metadataBytes))
                #expect(error.limit == (code == .limitReached ? limit : nil))
                refused.append("m\(job)")
            }
            #expect(refused.count == (code == .limitReached ? 8 : 24))
            #expect(try stage.number(metadataBytes) <= Int64(Bounds.metadataBytes))
            #expect(try stage.number("select count(*) from tenant_shop.messages") == Int64(24 - refused.count))
            let booked = "select coalesce(sum(messages), 0)::int8 from tenantry.tenant_usage where tenant = 'shop'"
            #expect(try stage.number(booked) == Int64(24 - refused.count))
            // What is there already is a duplicate as ever, and a conversation that is full takes messages.
            if code == .limitReached {
                let again = try stage.ask("conversation.log", log("m3", metadata: member("new", 9_000)), tenant: "shop", by: acme)
                #expect(again.result == ["accepted": 0, "duplicates": 1])
                #expect(try stage.ask("conversation.log", log("more"), tenant: "shop", by: acme).status == .succeeded)
            }
        }
    }

    @Test func `In a batch, only the jobs that would make it too much are refused`() async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            try stage.makeTenant("near", by: acme)
            let bodies = [
                ("shop", log("a", metadata: member("one", 9_000))), ("near", log("a", metadata: member("one", 9_000))),
                ("shop", log("b", metadata: member("two", 9_000))),
                ("shop", log("c", conversation: "d", metadata: member("two", 9_000))),
                ("shop", log("e")), ("shop", log("f", metadata: member("three", 100))),
                ("near", log("b", metadata: member("one", 9_500))),
            ]
            for round in ["first", "second"] {
                let jobs = try bodies.enumerated().map { index, job in
                    try stage.job(
                        "conversation.log", Array(job.1.utf8), tenant: job.0, by: acme, id: "\(round)-\(index)",
                        mayHaveHardFlowLimit: false)
                }
                let outcomes = try stage.outcomes(of: jobs)
                for (index, outcome) in outcomes.enumerated() {
                    switch outcome {
                    case .rejected(let rejection):
                        #expect(index == 2 && rejection.code == .limitReached, "\(round) \(index): \(rejection)")
                    case .succeeded(_, let isDuplicate):
                        #expect(index != 2 && isDuplicate == (round == "second"), "\(round) \(index)")
                    default: Issue.record("\(round) \(index): \(outcome)")
                    }
                }
            }
            #expect(try stage.texts("select id from tenant_shop.messages order by id") == ["a", "c", "e", "f"])
            let keys =
                "select string_agg(k, ' ' order by k) from tenant_shop.conversations, jsonb_object_keys(metadata) k where id = 'c'"
            #expect(try stage.texts(keys) == ["one three"])
            #expect(try stage.number("select count(*) from tenant_near.messages") == 2)
        }
    }

    @Test func `A message's metadata has a bound, as it was sent`() async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let blanks = String(repeating: " ", count: Bounds.metadataBytes)
            for metadata in [member("m", Bounds.metadataBytes), "{\(blanks)}"] {
                let answer = try stage.ask("conversation.log", log("m", ofMessage: metadata), tenant: "shop", by: acme)
                #expect(answer.error?.code == .payloadTooLarge && answer.error?.field == "/messages/0/metadata", "\(answer)")
            }
            let good = log("m", ofMessage: member("m", Bounds.metadataBytes - 10))
            #expect(try stage.ask("conversation.log", good, tenant: "shop", by: acme).status == .succeeded)
        }
    }

    private let settingsBytes =
        "select coalesce(sum(octet_length(key) + octet_length(value::text)), 0)::int8 from tenant_shop.settings"

    @Test(arguments: [false, true])
    func `Settings stay below their bound, one of them or many`(isOne: Bool) async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            var codes: [ErrorCode?] = []
            for job in 0..<10 {
                let value = member("k\(job)", 9_000)
                let body = isOne ? #"{"settings":{"one":\#(value)}}"# : #"{"settings":\#(value)}"#
                let answer = try stage.ask("tenant.update", body, tenant: "shop", by: acme)
                if let error = answer.error {
                    #expect(error.field == "/settings" && error.message.contains("at most 65536"), "\(error)")
                    #expect(error.limit == .bound(Bounds.settingsBytes, value: try stage.number(settingsBytes)))
                }
                codes.append(answer.error?.code)
            }
            #expect(codes == Array(repeating: nil, count: 7) + Array(repeating: .limitReached, count: 3))
            #expect(try stage.number(settingsBytes) <= Int64(Bounds.settingsBytes))
            let large = try stage.ask("tenant.update", #"{"settings":\#(member("big", 70_000))}"#, tenant: "shop", by: acme)
            #expect(large.error?.code == .payloadTooLarge && large.error?.field == "/settings", "\(large)")
            let smaller = isOne ? #"{"settings":{"one":null}}"# : #"{"settings":{"k1":null}}"#
            #expect(try stage.ask("tenant.update", smaller, tenant: "shop", by: acme).status == .succeeded)
        }
    }

    @Test func `A template does not make a tenant's settings more than they may be`() async throws {
        try await HandlerStage.run { stage in
            let acme = try shop(stage)
            let large = try stage.ask("template.save", #"{"name":"t","settings":\#(member("t", 70_000))}"#, by: acme)
            #expect(large.error?.code == .payloadTooLarge && large.error?.field == "/settings", "\(large)")
            let saved = try stage.ask("template.save", #"{"name":"t","settings":\#(member("t", 40_000))}"#, by: acme)
            #expect(saved.status == .succeeded)
            let own = try stage.ask("tenant.update", #"{"settings":\#(member("own", 40_000))}"#, tenant: "shop", by: acme)
            #expect(own.status == .succeeded)
            let applied = try stage.ask("template.apply", #"{"template":"t"}"#, tenant: "shop", by: acme)
            #expect(applied.error?.code == .limitReached && applied.error?.field == "/template", "\(applied)")
            #expect(try stage.texts("select key from tenant_shop.settings") == ["own"])
            let made = try stage.ask(
                "tenant.create", #"{"slug":"new","display_name":"N","template":"t","settings":\#(member("own", 40_000))}"#,
                by: acme)
            #expect(made.error?.code == .limitReached && made.error?.field == "/settings", "\(made)")
        }
    }

    @Test func `A tenant is not made with more settings than it may have, nor is one of a manifest`() async throws {
        try await HandlerStage.run(isolated: true) { stage in
            let acme = try stage.makeAccount("acme")
            let large = member("big", 70_000)
            let alone = try stage.ask("tenant.create", #"{"slug":"one","display_name":"O","settings":\#(large)}"#, by: acme)
            #expect(alone.error?.code == .payloadTooLarge && alone.error?.field == "/settings", "\(alone)")
        }
        let manifest = #"""
            {"defaults":{"display_name":"D","settings":{"a":"\#(String(repeating: "x", count: 40_000))"}},"tenants":[
            {"slug":"ok"},{"slug":"big","settings":{"b":"\#(String(repeating: "x", count: 40_000))"}}]}
            """#
        let payload = try PayloadDecoder.decode(TenantCreateMany.self, from: Array(manifest.utf8))
        #expect(throws: Never.self) { try payload.item(0) }
        let refusal = #expect(throws: Rejection.self) { try payload.item(1) }
        #expect(refusal?.code == .payloadTooLarge && refusal?.field == "/tenants/1/settings", "\(String(describing: refusal))")
    }
}
