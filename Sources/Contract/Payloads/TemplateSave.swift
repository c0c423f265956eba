extension Kind {
    public static let templateSave = Kind(
        "template.save", family: .tenant, access: Access(account: true), isAudited: true,
        summary: "Keeps settings and documents under a name, to be applied to tenants; replaces what was under it.")
}

/// `template.save` (contract, section 4).
public struct TemplateSave: JobPayload, Equatable {
    public static let kind = Kind.templateSave
    static let nameLengths = 1...128

    /// 1 to 128 characters, unique within the account.
    public var name: String
    public var settings: [String: JSONValue]?
    /// Up to 1,000, each `external_id` once.
    public var documents: [CorpusIngest.Document]

    public init(name: String, settings: [String: JSONValue]? = nil, documents: [CorpusIngest.Document] = []) {
        self.name = name
        self.settings = settings
        self.documents = documents
    }

    enum CodingKeys: String, CodingKey {
        case name, settings, documents
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        settings = try container.decodeIfPresent([String: JSONValue].self, forKey: .settings)
        documents = try container.decodeIfPresent([CorpusIngest.Document].self, forKey: .documents) ?? []
    }

    public func validate() throws(Rejection) {
        try Rule.length(name, Self.nameLengths, "/name")
        try Rule.settings(settings, "/settings")
        try Rule.documents(documents, 0...1_000, "/documents")
    }

    public static let schema = Schema.object(
        required: ["name"],
        [
            "name": Schema.text(nameLengths), "settings": Schema.settings,
            "documents": Schema.optional(Schema.list(CorpusIngest.Document.schema, 0...1_000)),
        ])

    public static let resultSchema = Schema.object(
        required: ["template", "documents", "chunks"],
        ["template": Schema.anyText, "documents": Schema.count, "chunks": Schema.count])
}
