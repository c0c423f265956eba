extension Kind {
    public static let templateSave = Kind(
        "template.save", family: .tenant, access: Access(account: true), isAudited: true, takesPrecondition: true,
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

    public static let fields = Fields(TemplateSave(name: "")) {
        Field("name", \.name, .text(nameLengths))
        Field("settings", \.settings, .settings)
        Field("documents", \.documents, .documents(0...1_000), default: []).neverAudited
    }

    public static let example = TemplateSave(
        name: "shop", settings: ["greeting": "Hello!"],
        documents: [
            CorpusIngest.Document(
                externalID: "returns", title: "Returns", mediaType: "text/markdown",
                content: "# Returns\n\nGoods come back within 30 days.")
        ])

    public static let resultSchema = Schema.object(
        required: ["template", "documents", "chunks"],
        ["template": Schema.anyText, "documents": Schema.count, "chunks": Schema.count])
}
