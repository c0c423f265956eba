internal import Contract
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Webhooks

@Suite struct EventPatternTests {
    private static let patterns = [
        "#", "limit.#", "tenant.*", "invoice.created", "limit.breached.messages", "*.breached.*", "#.messages",
        "limit.*.messages",
        "*.*", "*", "#.#", "limit.#.messages", "#.created", "tenant.#.#", "limit.warning", "*.*.*", "#.disabled",
    ]

    @Test func `A pattern means what it means on a topic exchange`() throws {
        let tenant = try #require(EventPattern("tenant.*"))
        #expect(tenant.matches("tenant.created") && !tenant.matches("tenant.created.x") && !tenant.matches("tenant"))
        let all = try #require(EventPattern("#"))
        #expect(EventName.all.allSatisfy(all.matches))
        let limits = try #require(EventPattern("limit.#"))
        #expect(limits.matches("limit.breached.messages") && !limits.matches("invoice.created"))
    }

    @Test(arguments: [
        "", ".", "tenant.", "job.#", "job.succeeded.tenant.create", "Tenant.*", "tenant.created.now", "limit.*", "a b", "é",
    ])
    func `What is no pattern, or matches no event, is none`(text: String) {
        #expect(EventPattern(text) == nil)
    }

    @Test func `PostgreSQL finds the same events by the expression as the patterns do`() async throws {
        let database = try await TestServers.shared.migratedDatabase()
        defer { withExtendedLifetime(database) {} }
        var connection = try Connection(ConnectionOptions(url: database.url))
        let names = EventName.all + ["limit", "tenant", "job.succeeded", "tenantx.created", "limit.breached.messages.x"]
        let known = Self.patterns.compactMap { EventPattern($0) }
        for patterns in known.map({ [$0] }) + zip(known, known.reversed()).map({ [$0, $1] }) {
            let rows = try connection.query(
                "select name from unnest($1::text[]) as n (name) where name || '.' ~ $2::text", names,
                EventPattern.expression(patterns))
            let expected = names.filter { name in patterns.contains { $0.matches(name) } }
            #expect(Set(rows.decode(String.self)) == Set(expected), "\(patterns.map(\.text))")
        }
    }
}
