internal import Contract
public import Jobs
public import Postgres

/// A document of a tenant with its text, chunk by chunk.
public struct DocumentDetails: Sendable {
    public let summary: DocumentSummary
    /// In the order of the text.
    public let chunks: [Chunk]

    /// A part of the text, as it is found.
    public struct Chunk: Sendable {
        /// From 0.
        public let position: Int64
        /// The path of headings above it, joined by ` > `; `""` for none.
        public let heading: String
        public let content: String

        public static let representation = Representation<Chunk> {
            Representation.Member.number("position", \.position)
            Representation.Member.text("heading", \.heading)
            Representation.Member.text("content", \.content)
        }
    }

    public static let representation = Representation<DocumentDetails>(
        of: Representation.members(of: DocumentSummary.representation, at: \.summary)
            + [.list("chunks", of: Chunk.representation, \.chunks)])

    /// One document; nil if the tenant has none of this id.
    public static func find(
        _ externalID: String, in schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> DocumentDetails? {
        let found = try database.query(SQL.find(schema), externalID).decode(DocumentSummary.init).first
        guard let found else { return nil }
        return DocumentDetails(
            summary: found, chunks: try database.query(SQL.chunks(schema), externalID).decode(Chunk.init))
    }

    /// The entity tag of this document.
    public var etag: String { EntityTag.of(Self.representation.json(self)) }

    /// The entity tag of a document as it is now; nil where there is none.
    public static func currentETag(
        _ externalID: String, in schema: Identifier, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> String? {
        try find(externalID, in: schema, on: &database)?.etag
    }

    enum SQL {
        static func find(_ schema: Identifier) -> Statement {
            Statement("select \(DocumentSummary.SQL.columns) from \(schema.quoted).documents where external_id = $1")
        }

        static func chunks(_ schema: Identifier) -> Statement {
            Statement("select position, heading, content from \(schema.quoted).chunks where external_id = $1 order by position")
        }
    }
}
