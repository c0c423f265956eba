extension Kind {
    public static let corpusRemove = Kind(
        "corpus.remove", family: .corpus, needsTenant: true, access: Access(account: true, tenant: .scope(.corpusWrite)),
        isAudited: true, takesPrecondition: true, summary: "Takes documents out of the tenant's corpus.")
}

/// `corpus.remove` (contract, section 4).
public struct CorpusRemove: JobPayload, Equatable {
    public static let kind = Kind.corpusRemove

    /// 1 to 1,000, of 1 to 128 characters each.
    public var externalIDs: [String]

    public init(externalIDs: [String]) {
        self.externalIDs = externalIDs
    }

    public static let fields = Fields(CorpusRemove(externalIDs: [])) {
        Field("external_ids", \.externalIDs, .list(.text(1...128), 1...1_000))
    }

    public static let example = CorpusRemove(externalIDs: ["opening-hours"])

    public static let resultSchema = Schema.object(
        required: ["removed", "missing"], ["removed": Schema.list(Schema.anyText), "missing": Schema.list(Schema.anyText)])
}
