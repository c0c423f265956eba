internal import AMQP
internal import Contract
internal import TestSupport

/// A listener to what becomes of tenants.
final class TenantEars {
    struct Event: Equatable {
        let key: String
        let id: String
        let body: JSONValue
    }

    private var connection: AMQP.Connection
    private var seen: [Event] = []

    init(_ fleet: TestFleet) throws {
        connection = try AMQP.Connection(BrokerURL(fleet.brokerURL), name: "ears")
        try connection.declareQueue("ears", durable: false, exclusive: true)
        try connection.bindQueue("ears", exchange: Topology.eventsExchange, routingKey: "tenant.#")
    }

    /// Everything since the last call, after the outbox has run empty, in the order of the routing keys.
    func hear(_ fleet: TestFleet) async throws -> [Event] {
        try await eventually("the outbox is empty") { try fleet.number("select count(*) from tenantry.outbox") == 0 }
        while let delivery = try connection.get("ears") {
            try connection.ack(delivery.deliveryTag)
            seen.append(
                Event(
                    key: delivery.routingKey, id: delivery.messageID ?? "",
                    body: try JSONValue(parsing: delivery.withBody { Array($0) })))
        }
        defer { seen.removeAll() }
        return seen.sorted { $0.key < $1.key }
    }

    func keys(_ fleet: TestFleet) async throws -> [String] { try await hear(fleet).map(\.key) }
}

extension TestFleet {
    /// What an account's pool will say once the leader has added it up.
    func pool(_ metric: String, of account: String) throws -> Int64 {
        try number(
            """
            select (select coalesce(sum(\(metric)), 0) from tenantry.account_usage where account = '\(account)')::int8
                 + (select coalesce(sum(\(metric)), 0) from tenantry.usage_deltas where account = '\(account)')::int8
            """)
    }

    /// A tenant's state, as the table has it.
    func state(of tenant: String) throws -> String {
        try texts("select state from tenantry.tenants where slug = '\(tenant)'").first ?? "none"
    }

    /// Schemas of tenants without a row, and rows without a schema: there must be none of either, ever.
    func strays() throws -> [String] {
        try texts(
            """
            select 'schema ' || nspname from pg_namespace where nspname like 'tenant\\_%'
              and not exists (select from tenantry.tenants where schema_name = nspname and state <> 'purged')
            union all
            select 'tenant ' || slug from tenantry.tenants where state <> 'purged' and to_regclass(schema_name || '.messages') is null
            """)
    }
}
