internal import Contract
internal import Foundation
internal import TestSupport
internal import Testing

@Suite("Every kind, by pika")
struct EveryKindTests {
    @Test("An account lives from its creation to its invoice: each kind is sent well and badly, by the published contract alone")
    func everyKind() async throws {
        // A fleet of its own, so that the dead letters are its.
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let environment = [
            "TENANTRY_AMQP_URL": fleet.brokerURL, "TENANTRY_DATABASE_URL": fleet.databaseURL,
            "TENANTRY_OPERATOR_TOKEN": fleet.operatorToken,
        ]
        // The shipped plans, with their prices.
        let plans = try await Program.tenantry(
            "plans", "apply", environment: environment, in: Program.repository.path)
        try #require(plans.status == 0, "\(plans.errors)")
        let account = newSlug("life")
        let ended = try await Program(
            try await Program.python(), [Program.wire("every_kind.py"), account], input: Data(AsyncAPIDocument.render().utf8),
            environment: environment
        ).end()
        try #require(ended.status == 0, "\(ended.errors)")
        let report = try #require(try ended.json() as? [String: Any])
        #expect(report["complaints"] as? [String] == [])

        let good = try #require(report["good"] as? [String])
        let bad = try #require(report["bad"] as? [String])
        #expect(Set(good) == Set(Kind.all.map(\.name)))
        for kind in Kind.all {
            let codes = Set(bad.filter { $0.hasPrefix(kind.name + " ") }.map { String($0.dropFirst(kind.name.count + 1)) })
            #expect(codes.isSuperset(of: ["malformed_json", "unauthenticated"]), "\(kind)")
            #expect(codes.count > 2, "\(kind) was not refused for what it says")
        }
        #expect(report["events"] as? [String] == Self.events)

        // Every refusal is a dead letter, and nothing else is.
        let letters = try await Program.tenantry("dead", "list", "--format", "json", environment: environment).rows()
        #expect(letters.map { "\($0["kind"] ?? "") \($0["code"] ?? "")" }.sorted() == bad.sorted())
        try Self.checkRows(of: account, fleet)
        await fleet.stop()
    }

    private static let events = [
        "account.created", "account.updated", "tenant.created shop", "tenant.created hotel", "tenant.created cafe",
        "tenant.created test", "tenant.updated shop", "tenant.updated shop", "tenant.suspended cafe", "tenant.resumed cafe",
        "tenant.archived cafe", "tenant.restored cafe", "tenant.purged cafe", "invoice.created", "tenant.updated shop",
        "tenant.updated shop", "tenant.suspended test",
    ]

    private static func checkRows(of account: String, _ fleet: TestFleet) throws {
        let name = account.replacing("-", with: "_")
        func rows(_ sql: String) throws -> [String] { try fleet.texts(sql) }
        #expect(
            try rows(
                """
                select concat_ws('|', slug, state, environment, display_name) from tenantry.tenants where account = '\(account)'
                order by 1
                """)
                == [
                    "\(account)-cafe|purged|staging|Branch", "\(account)-hotel|active|staging|Hotel",
                    "\(account)-shop|active|production|The Shop", "\(account)-test|suspended|staging|Branch",
                ])
        #expect(
            try rows("select nspname from pg_namespace where nspname like 'tenant\\_\(name)\\_%' order by 1")
                == ["tenant_\(name)_hotel", "tenant_\(name)_shop", "tenant_\(name)_test"])
        let shop = "tenant_\(name)_shop"
        #expect(try rows("select external_id from \(shop).documents order by 1") == ["returns.md", "welcome.html"])
        #expect(
            try rows("select heading from tenant_\(name)_hotel.chunks where external_id = 'returns.md' order by position")
                == ["Returns", "Returns > Time"])
        #expect(
            try rows("select concat_ws('|', id, conversation_id, rating) from \(shop).messages order by 1")
                == ["m-0|c-1", "m-1|c-1|-1"])
        #expect(
            try rows("select key || '=' || value from \(shop).settings order by 1")
                == [#"greeting="Hello""#, #"language="en""#, "rotated=false"])
        // Erased, and counted all the same.
        #expect(
            try rows(
                """
                select value::text from tenantry.current_usage where tenant = '\(account)-shop'
                and metric in ('messages', 'documents') order by metric
                """) == ["2", "4"])
        #expect(
            try rows("select concat_ws('|', total, currency, delivery) from tenantry.invoices where account = '\(account)'")
                == ["44900|EUR|none"])
        #expect(try rows("select name from tenantry.templates where account = '\(account)'").isEmpty)
        #expect(try rows("select email from tenantry.administrators where account = '\(account)'").isEmpty)
        // Who did what: a row for each audited job that succeeded, and none for its repeat.
        let audited = Kind.all.filter(\.isAudited).map(\.name)
        #expect(
            try Set(rows("select kind from tenantry.audit_log where account = '\(account)'")) == Set(audited))
        #expect(
            try fleet.number("select count(*) - count(distinct job_id) from tenantry.audit_log where account = '\(account)'") == 0
        )
    }
}
