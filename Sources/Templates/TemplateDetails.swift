public import Contract
public import Jobs
public import Postgres

/// A template: its settings, and what its documents are.
public struct TemplateDetails: Sendable {
    public let name: String
    public let account: String
    /// An object.
    public let settings: JSONValue
    public let createdAt: Timestamp
    public let updatedAt: Timestamp
    /// In the order in which they were saved.
    public let documents: [Document]

    /// A document of a template, without its text.
    public struct Document: Sendable {
        public let externalID: String
        public let title: String
        public let mediaType: String
        public let language: String?
        public let segment: String?
        public let priority: Int64
        public let tags: [String]
        /// An object, or null.
        public let metadata: JSONValue
        public let chunkCount: Int64
        /// SHA-256 of the content, hexadecimal.
        public let contentHash: String

        public static let representation = Representation<Document> {
            Member.text("external_id", \.externalID)
            Member.text("title", \.title)
            Member.text("media_type", \.mediaType)
            Member.text("language", \.language)
            Member.text("segment", \.segment)
            Member.number("priority", \.priority)
            Member.texts("tags", \.tags)
            Member.object("metadata", \.metadata)
            Member.number("chunk_count", \.chunkCount)
            Member.text("content_hash", \.contentHash)
        }

        private typealias Member = Representation<Document>.Member
    }

    public static let representation = Representation<TemplateDetails> {
        Member.text("name", \.name)
        Member.text("account", \.account)
        Member.object("settings", \.settings)
        Member.list("documents", of: Document.representation, \.documents)
        Member.instant("created_at", \.createdAt)
        Member.instant("updated_at", \.updatedAt)
    }

    private typealias Member = Representation<TemplateDetails>.Member

    /// One template of an account; nil if it has none of this name.
    public static func find(
        _ name: String, account: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> TemplateDetails? {
        let found = try database.query(SQL.find, account, name).first((JSONValue, Timestamp, Timestamp).self)
        guard let (settings, createdAt, updatedAt) = found else { return nil }
        return TemplateDetails(
            name: name, account: account, settings: settings, createdAt: createdAt, updatedAt: updatedAt,
            documents: try database.query(SQL.documents, account, name).decode(Document.init))
    }

    /// The entity tag of this template.
    public var etag: String { EntityTag.of(Self.representation.json(self)) }

    /// The entity tag of a template as it is now; nil where there is none.
    public static func currentETag(
        _ name: String, account: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> String? {
        try find(name, account: account, on: &database)?.etag
    }

    enum SQL {
        static let find: Statement = """
            select settings, created_at, updated_at from tenantry.templates where account = $1 and name = $2
            """
        static let documents: Statement = """
            select external_id, title, media_type, language, segment, priority, tags, metadata, chunk_count, content_hash
            from tenantry.template_documents where account = $1 and template = $2 order by position, external_id
            """
    }
}
