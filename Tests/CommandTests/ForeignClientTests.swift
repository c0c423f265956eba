internal import Foundation
internal import TestSupport
internal import Testing

/// Clients with no line of ours: pika, amqp-tools and psql.
@Suite("Clients that are not ours")
struct ForeignClientTests {
    @Test("pika opens an account and tenants, ingests, logs, repeats itself, and receives each alert once; psql reads the rows")
    func pika() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("pika")
        let ended = try await Program(
            try await Program.python(), ["-c", Self.script, account], environment: instance.environment
        ).end()
        try #require(ended.status == 0, "\(ended.errors)")
        let report = try #require(try ended.json() as? [String: Any])

        let answers = try #require(report["answers"] as? [String])
        #expect(
            answers == [
                "account.create succeeded", "tenant.create succeeded", "tenant.create succeeded", "corpus.ingest succeeded",
                "corpus.ingest succeeded again",
            ] + Array(repeating: "conversation.log succeeded", count: 5) + ["conversation.log succeeded again"])
        #expect(report["ingested"] as? [String] == ["created", "created", "created"])
        #expect(report["logged"] as? [[Int]] == [[5, 0], [5, 0], [5, 0], [5, 0], [5, 0], [0, 5]])

        let alerts = try #require(report["alerts"] as? [String])
        let pool = [50, 75, 80, 90, 100, 200, 300].map { "\($0 < 100 ? "warning" : "breached") messages \(account) _pool \($0)" }
        let shop =
            [50, 75].map { "warning messages \(account) \(account)-shop \($0)" }
            + [50, 75].map { "warning documents \(account) \(account)-shop \($0)" }
        #expect(alerts.sorted() == (pool + shop).sorted())
        #expect(report["disagreements"] as? [String] == [])

        let (shopSchema, hotelSchema) = ["shop", "hotel"].map { "tenant_\(account)_\($0)".replacing("-", with: "_") }.pair
        #expect(
            try await instance.psql("select plan, state from tenantry.accounts where slug = '\(account)'") == [
                "enterprise|active"
            ])
        #expect(
            try await instance.psql(
                "select schema_name, coalesce(plan, 'inherited') from tenantry.tenants where account = '\(account)' order by 1")
                == ["\(hotelSchema)|inherited", "\(shopSchema)|inherited"])
        #expect(
            try await instance.psql("select count(*), count(distinct conversation_id) from \(shopSchema).messages") == ["15|3"])
        #expect(try await instance.psql("select sum(message_count), count(*) from \(hotelSchema).conversations") == ["15|3"])
        #expect(
            try await instance.psql("select external_id, media_type, chunk_count > 0 from \(shopSchema).documents order by 1")
                == ["hours.csv|text/csv|t", "returns.md|text/markdown|t", "welcome.html|text/html|t"])
        #expect(
            try await instance.psql(
                "select heading from \(shopSchema).chunks where external_id = 'returns.md' and content like '%30 days%'")
                == ["Returns > Time"])
        #expect(
            try await instance.psql(
                """
                select coalesce(tenant, '_pool'), metric, value, limit_value from tenantry.current_usage
                where account = '\(account)' and metric in ('messages', 'documents') and value > 0 order by 1, 2
                """)
                == [
                    "_pool|documents|3|", "_pool|messages|30|10", "\(account)-hotel|messages|15|",
                    "\(account)-shop|documents|3|4",
                    "\(account)-shop|messages|15|20",
                ])
        #expect(
            try await instance.psql(
                "select count(*), count(published_at), count(distinct id) from tenantry.alerts where account = '\(account)'")
                == ["11|11|11"])
    }

    @Test("amqp-publish cannot name a job: what it sends is a dead letter, unchanged, and amqp-get reads it")
    func amqpPublish() async throws {
        // A fleet of its own, so that the letter is the only one.
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let published = try await Program(
            "/usr/bin/env",
            [
                "amqp-publish", "--url=\(fleet.brokerURL)", "-e", "tenantry.jobs", "-r", "usage.aggregate", "-p", "-C",
                "application/json", "-H",
                "authorization: Bearer \(fleet.operatorToken)", "-b", #"{"period":"2026-11"}"#,
            ]
        ).end()
        #expect(published.status == 0, "\(published.errors)")
        var letters: [[String: Any]] = []
        while letters.isEmpty {
            letters = try await Program.tenantry(
                "dead", "list", "--format", "json", environment: ["TENANTRY_DATABASE_URL": fleet.databaseURL]
            ).rows()
        }
        #expect(letters.map { $0["code"] as? String } == ["invalid_payload"])
        #expect(letters.map { ($0["message"] as? String)?.contains("message_id is missing") } == [true])
        let got = try await Program("/usr/bin/env", ["amqp-get", "--url=\(fleet.brokerURL)", "-q", "tenantry.dead"]).end()
        #expect(got.output == #"{"period":"2026-11"}"#)
        await fleet.stop()
    }

    @Test("amqp-consume subscribes to alerts, and a replay has the id of the first")
    func amqpConsume() async throws {
        let instance = try await Instance.shared.value
        let account = newSlug("consume")
        let token = try await instance.makeAccount(account, #","limits":{"child_tenants":2}"#)
        _ = try await instance.ask("tenant.create", #"{"slug":"\#(account)-a","display_name":"A"}"#, token: token)
        try await instance.eventually("select count(published_at) from tenantry.alerts where account = '\(account)'", is: "1")
        let subscriber = try Program(
            "/usr/bin/env",
            [
                "amqp-consume", "--url=\(instance.brokerURL)", "-e", "tenantry.alerts", "-r", "limit.*.*.\(account).#", "-A",
                "-c", "2", "cat",
            ])
        // Nothing tells when it is bound: replayed until it has received two.
        for _ in 0..<100 where subscriber.isRunning {
            let replayed = try await instance.tenantry(
                "alerts", "replay", "--since", "2020-01-01T00:00:00Z", "--account", account)
            #expect(replayed.output == "1 alerts put into the outbox\n")
            try await Task.sleep(for: .milliseconds(200))
        }
        let ended = try await subscriber.end()
        let bodies = ended.output.replacing("}{", with: "}\n{").split(separator: "\n")
        #expect(bodies.count == 2)
        #expect(Set(bodies).count == 1, "the same event, byte for byte")
        let event = try #require(try JSONSerialization.jsonObject(with: Data(bodies[0].utf8)) as? [String: Any])
        #expect(event["type"] as? String == "tenantry.limit.warning")
        #expect(event["subject"] as? String == "accounts/\(account)")
        #expect(
            try await instance.psql("select id from tenantry.alerts where account = '\(account)'") == [event["id"] as? String])
    }
}

extension Instance {
    /// Asks the database until it gives this one value.
    func eventually(_ sql: String, is value: String) async throws {
        var last: [String] = []
        for _ in 0..<600 {
            last = try await psql(sql)
            if last == [value] { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        Issue.record("\(sql): \(last), not \(value)")
    }
}

extension Array {
    var pair: (Element, Element) { (self[0], self[1]) }
}
