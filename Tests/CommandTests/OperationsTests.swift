internal import Foundation
internal import TestSupport
internal import Testing

@Suite("What operators look at")
struct OperationsTests {
    @Test("status lists queues, workers and the outbox, as a table and as JSON")
    func status() async throws {
        let instance = try await Instance.shared.value
        var workers: [[String: Any]] = []
        var document: [String: Any] = [:]
        while workers.isEmpty {
            let ended = try await instance.tenantry("status", "--format", "json")
            #expect(ended.status == 0)
            document = try #require(try ended.json() as? [String: Any])
            workers = try #require(document["workers"] as? [[String: Any]])
        }
        let queues = try #require(document["queues"] as? [[String: Any]])
        #expect(
            queues.prefix(5).map { $0["queue"] as? String }
                == ["account", "tenant", "corpus", "conversation", "usage"].map { "tenantry.\($0)" })
        #expect(queues.prefix(5).allSatisfy { ($0["consumers"] as? Int ?? 0) > 0 })
        #expect(workers.first?["lanes"] as? Int == 8)
        #expect(document["outbox"] != nil)
        let table = try await instance.tenantry("status")
        #expect(table.output.hasPrefix("queue "))
        #expect(table.output.contains("account,conversation,corpus,tenant,usage"))
    }

    @Test("a reader that goes away early ends a command quietly")
    func brokenPipe() async throws {
        let instance = try await Instance.shared.value
        for command in ["status", "contract", "usage show"] {
            let ended = try await Program(
                "/bin/sh", ["-c", "tenantry \(command) | head -n 1"], environment: instance.environment
            ).end()
            #expect(ended.status == 0)
            #expect(ended.output.split(separator: "\n").count == 1)
            #expect(ended.errors.isEmpty)
        }
        let account = newSlug("pipe")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":1}"#)
        // Three alerts at once, for one who wants to read a single line and has no more patience.
        let tail = try Program(
            "/bin/sh", ["-c", "tenantry alerts tail --binding 'limit.#.\(account).#' | head -n 1"],
            environment: instance.environment)
        try await tail.waitForErrors("subscribed")
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-t","display_name":"T"}"#, token: token)
        #expect(try await tail.end(within: 30).output.contains("child_tenants"))
    }

    @Test("alerts: tail shows them live and stops after --count; list and replay know them; --timeout ends without any")
    func alerts() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("alerts")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":2}"#)
        let binding = ["--binding", "limit.*.*.\(account).#"]
        let tail = try Program(
            Program.tenantry, ["alerts", "tail", "--count", "1"] + binding, environment: instance.environment)
        let json = try Program(
            Program.tenantry, ["alerts", "tail", "--count", "1", "--format", "json"] + binding, environment: instance.environment)
        for program in [tail, json] { try await program.waitForErrors("subscribed") }
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-t","display_name":"T"}"#, token: token)
        let line = try await tail.end()
        #expect(line.status == 0)
        #expect(line.output.contains("warning  accounts/\(account)  child_tenants  50 %  1 of 2"))
        let event = try #require(try await json.end().json() as? [String: Any])
        #expect(event["specversion"] as? String == "1.0")

        let listed = try await instance.tenantry("alerts", "list", "--account", account, "--format", "json").rows()
        #expect(listed.map { $0["id"] as? String } == [event["id"] as? String])
        #expect(listed.first?["tenant"] is NSNull)

        let none = try await Program(
            Program.tenantry, ["alerts", "tail", "--timeout", "0"] + binding, environment: instance.environment
        ).end(within: 30)
        #expect(none.status == 0)
        #expect(none.output.isEmpty)
        let future = try await instance.tenantry("alerts", "replay", "--since", "2999-01-01T00:00:00Z")
        #expect(future.output == "0 alerts put into the outbox\n")
    }

    @Test("usage show and tenant list print what is there, and say when a name is wrong")
    func usage() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("usage")
        let token = try await instance.makeAccount(account)
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-t","display_name":"Émile's\n\"shop\""}"#, token: token)
        _ = try await instance.ask("conversation.log", log(["a", "b"]), tenant: "\(account)-t", token: token)
        let rows = try await instance.tenantry("usage", "show", account, "--tenant", "\(account)-t", "--format", "json").rows()
        #expect(rows.first { $0["metric"] as? String == "messages" }?["value"] as? Int == 2)
        let pool = try await instance.tenantry("usage", "show", account, "--format", "json").rows().filter {
            $0["tenant"] is NSNull
        }
        #expect(pool.first { $0["metric"] as? String == "child_tenants" }?["limit"] as? Int == 10)
        let tenants = try await instance.tenantry("tenant", "list", "--account", account, "--format", "json").rows()
        #expect(tenants.map { $0["display_name"] as? String } == ["Émile's\n\"shop\""])
        #expect(try await instance.tenantry("tenant", "list", "--account", account).output.split(separator: "\n").count == 2)
        let unknown = try await instance.tenantry("usage", "show", "nobody-here")
        #expect(unknown.status == 1)
        #expect(unknown.errors == "Error: there is no account nobody-here\n")
    }

    @Test("corpus search finds what was ingested, in the document's language, and keeps tenants apart")
    func corpus() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("corpus")
        let token = try await instance.makeAccount(account)
        for name in ["a", "b"] {
            _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-\#(name)","display_name":"T"}"#, token: token)
        }
        let documents = #"""
            {"documents":[{"external_id":"de","title":"Rückgabe","media_type":"text/markdown","language":"de",
            "content":"# Rückgabe\n\nGekaufte Fahrräder nehmen wir innert 30 Tagen zurück."},
            {"external_id":"en","title":"Opening","media_type":"text/plain","content":"We are open on Saturdays until noon."}]}
            """#
        _ = try await instance.ask("corpus.ingest", documents, tenant: "\(account)-a", token: token)
        let found = try await instance.tenantry("corpus", "search", "\(account)-a", "Fahrrad", "--format", "json").rows()
        #expect(found.map { $0["document"] as? String } == ["de"])
        #expect(try await instance.tenantry("corpus", "search", "\(account)-a", "saturday", "noon").output.contains("Opening"))
        #expect(try await instance.tenantry("corpus", "search", "\(account)-b", "Fahrrad", "--format", "json").rows().isEmpty)
        let unknown = try await instance.tenantry("corpus", "search", "nobody-here", "x")
        #expect(unknown.status == 1)
        #expect(unknown.errors == "Error: there is no tenant nobody-here\n")
    }

    @Test(
        "an operator's credential works once issued, is listed without its secret, and stops working within 30 seconds of its revocation"
    )
    func operators() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("operators")
        _ = try await instance.makeAccount(account)
        let payload = #"{"account":"\#(account)"}"#
        let issued = try await instance.tenantry("operator", "issue", "--name", "Ann")
        let token = issued.output.trimmingCharacters(in: .newlines)
        let (key, secret) = token.split(separator: ".").map { String($0) }.pair
        #expect(try await instance.ask("usage.aggregate", payload, token: token)["status"] as? String == "succeeded")
        let listed = try await instance.tenantry("operator", "list")
        #expect(listed.output.contains(key))
        #expect(!listed.output.contains(secret))
        #expect(try await instance.psql("select count(*) from tenantry.credentials c where c::text like '%\(secret)%'") == ["0"])

        let revoked = try await instance.tenantry("operator", "revoke", key)
        #expect(revoked.status == 0)
        let deadline = Date().addingTimeInterval(30)
        var answer: [String: Any] = [:]
        repeat {
            answer = try await instance.ask("usage.aggregate", payload, token: token)
        } while answer["status"] as? String == "succeeded" && Date() < deadline
        #expect((answer["error"] as? [String: Any])?["code"] as? String == "unauthenticated")
        let again = try await instance.tenantry("operator", "revoke", key)
        #expect(again.status == 1)
        #expect(again.errors == "Error: there is no valid operator credential \(key)\n")
    }

    @Test("a worker answers /live, /ready and /metrics, and nothing else")
    func health() async throws {
        let instance = try await Instance.shared.value
        let base = "http://127.0.0.1:\(instance.httpPort)"
        #expect(try await Instance.get("\(base)/live").status == 200)
        #expect(try await Instance.get("\(base)/ready").status == 200)
        _ = try await instance.makeAccount(newSlug("health"))
        let metrics = try await Instance.get("\(base)/metrics")
        #expect(metrics.status == 200)
        let made = metrics.body.firstMatch(of: /tenantry_jobs_total{kind="account.create",outcome="succeeded"} (\d+)/)
        #expect((Int(made?.1 ?? "") ?? 0) > 0)
        for name in [
            "tenantry_job_seconds", "tenantry_queue_seconds", "tenantry_batch_jobs", "tenantry_reconnects_total",
            "tenantry_outbox_lag_seconds",
            "tenantry_outbox_messages", "tenantry_dead_letters", "tenantry_leader", "tenantry_ready", "tenantry_jobs_in_hand",
            "tenantry_stuck_lanes", "tenantry_queue_messages", "tenantry_postponed_messages",
        ] {
            #expect(metrics.body.contains("# TYPE \(name) "), "\(name)")
        }
        #expect(!metrics.body.contains("tenant=\""))
        // All kinds with all outcomes and all families are there from the beginning.
        let series = metrics.body.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(series.count > 300 && series.count <= 500, "\(series.count) series")
        #expect(try await Instance.get("\(base)/").status == 404)
    }
}

extension Program {
    /// Waits until standard error says this.
    func waitForErrors(_ text: String) async throws {
        for _ in 0..<1_200 {
            if errors.contains(text) { return }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw TestFailure("not on standard error: \(text), but \(errors)")
    }
}
