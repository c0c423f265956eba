extension Kind {
    public static let corpusIngest = Kind(
        "corpus.ingest", family: .corpus, needsTenant: true, access: Access(account: true, tenant: .scope(.corpusWrite)),
        bodyLimitBytes: 16 << 20, isAudited: true, takesPrecondition: true,
        summary: "Adds documents to the tenant's corpus, or brings them up to date.")
}

/// `corpus.ingest` (contract, section 4).
public struct CorpusIngest: JobPayload, Equatable {
    public static let kind = Kind.corpusIngest

    /// 1 to 1,000, each `external_id` once.
    public var documents: [Document]

    public init(documents: [Document]) {
        self.documents = documents
    }

    public static let fields = Fields(CorpusIngest(documents: [])) {
        Field("documents", \.documents, .documents(1...1_000)).neverAudited
    }

    public static let example = CorpusIngest(documents: [
        Document(
            externalID: "opening-hours", title: "Opening hours", mediaType: "text/plain",
            content: "We open at nine in the morning, on Saturdays, too.", segment: "faq", tags: ["hours"])
    ])

    public static let resultSchema = Schema.object(required: ["documents"], ["documents": outcomesSchema])

    /// What became of each document.
    static let outcomesSchema = Schema.list(
        Schema.object(
            required: ["external_id", "status"],
            [
                "external_id": Schema.anyText,
                "status": ["type": "string", "enum": ["created", "updated", "unchanged", "duplicate_of", "rejected"]],
                "chunks": Schema.count, "duplicate_of": Schema.anyText, "error": Rejection.schema,
            ]))
}
