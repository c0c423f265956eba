public import Contract
public import Jobs
public import Postgres

/// A document of a tenant, without its text.
public struct DocumentSummary: Sendable {
    public let externalID: String
    public let title: String
    public let mediaType: String
    /// As its producer named it; nil: it was found out.
    public let language: String?
    public let segment: String?
    public let priority: Int64
    public let tags: [String]
    /// An object, or null.
    public let metadata: JSONValue
    public let chunkCount: Int64

    /// How far a document is on its way to be found.
    public enum State: String, ClosedWord {
        case ready
    }

    /// A document is there when its chunks are.
    public var state: State { .ready }

    public static let representation = Representation<DocumentSummary> {
        Member.text("external_id", \.externalID)
        Member.text("title", \.title)
        Member.text("media_type", \.mediaType)
        Member.text("language", \.language)
        Member.text("segment", \.segment)
        Member.number("priority", \.priority)
        Member.texts("tags", \.tags)
        Member.object("metadata", \.metadata)
        Member.word("state", \.state)
        Member.number("chunk_count", \.chunkCount)
    }

    private typealias Member = Representation<DocumentSummary>.Member

    public var position: [String] { [externalID] }

    /// A page of a tenant's documents, ordered by their ids. A filter that is nil lets everything pass.
    ///
    /// - Parameters:
    ///   - part: of title or id, in capital letters or small ones.
    ///   - state: a word that is no ``State`` is that of no document.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        in schema: Identifier, part: String? = nil, segment: String? = nil, tag: String? = nil, state: String? = nil,
        after position: [String]?, limit: Int, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [DocumentSummary] {
        if let state, State(rawValue: state) == nil { return [] }
        return try database.query(SQL.page(schema), part, segment, tag, PageStart(after: position).text(0), limit)
            .decode(DocumentSummary.init)
    }

    enum SQL {
        static let columns = "external_id, title, media_type, language, segment, priority, tags, metadata, chunk_count"

        static func page(_ schema: Identifier) -> Statement {
            Statement(
                """
                select \(columns) from \(schema.quoted).documents
                where external_id > $4
                  and ($1::text is null or strpos(lower(title), lower($1)) > 0 or strpos(lower(external_id), lower($1)) > 0)
                  and ($2::text is null or segment = $2) and ($3::text is null or $3 = any(tags))
                order by external_id limit $5
                """)
        }
    }
}
