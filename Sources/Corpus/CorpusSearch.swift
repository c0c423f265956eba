internal import Contract
public import Postgres

/// Full-text search over a tenant's chunks, each in its document's own language.
public enum CorpusSearch {
    /// A chunk that was found.
    public struct Hit: Sendable {
        public let externalID: String
        public let title: String
        /// The chunk's place in its document, from 0.
        public let position: Int
        public let heading: String
        /// Where it matches, with the words found between `**`.
        public let excerpt: String
        /// From 0 to below 1, higher is better.
        public let rank: Double
    }

    /// The best chunks for a query in web-search syntax (`opening hours -sunday "city museum"`), best first.
    ///
    /// - Returns: nil if there is no such tenant.
    /// - Throws: `Rejection` (`tenant_unknown`) if it was purged; `PostgresError`.
    public static func run(tenant: String, query: String, limit: Int, on database: inout some Queryable & ~Copyable) throws
        -> [Hit]?
    {
        let found = try database.query(SQL.schema, tenant).first((String, String).self)
        guard let (schema, state) = found else { return nil }
        guard state != TenantState.purged.rawValue else {
            throw Rejection(.tenantUnknown, "tenant \(tenant) was purged")
        }
        return try hits(query, limit: limit, in: try Identifier(schema), on: &database)
    }

    enum SQL {
        static let schema: Statement = "select schema_name, state from tenantry.tenants where slug = $1"

        static func search(_ schema: Identifier) -> Statement {
            let schema = schema.quoted
            return Statement(
                """
                with languages as (
                    select config, websearch_to_tsquery(config::regconfig, $1) as query
                    from (select distinct search_config as config from \(schema).documents) c
                ), hits as (
                    select d.external_id, d.title, c.position, c.heading, c.content, l.config, l.query,
                           ts_rank_cd(c.search, l.query, 32) as rank
                    from languages l
                    join \(schema).chunks c on c.search @@ l.query
                    join \(schema).documents d on d.external_id = c.external_id and d.search_config = l.config
                    order by rank desc, d.priority desc, d.external_id, c.position limit $2
                )
                select external_id, title, position, heading,
                       ts_headline(config::regconfig, content, query, 'StartSel=**, StopSel=**, MaxFragments=2, MaxWords=30, MinWords=10'),
                       rank::float8
                from hits order by rank desc, external_id, position
                """)
        }
    }
}
