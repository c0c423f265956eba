internal import Contract
public import Jobs
public import Postgres

extension CorpusSearch {
    /// The best chunks of a tenant's documents for a query, best first; none for a query with nothing to look for.
    ///
    /// - Parameter limit: 1 to 50.
    public static func hits(
        _ query: String, limit: Int, in schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [Hit] {
        try database.query(SQL.search(schema), query, limit).decode(Hit.init)
    }
}

extension CorpusSearch.Hit {
    public static let representation = Representation<CorpusSearch.Hit> {
        Representation.Member.text("document", \.externalID)
        Representation.Member.text("title", \.title)
        Representation.Member.text("heading", \.heading)
        Representation.Member.text("excerpt", \.excerpt)
        Representation.Member.real("score", \.rank)
        Representation.Member.number("position", \.place)
    }

    private var place: Int64 { Int64(position) }
}
