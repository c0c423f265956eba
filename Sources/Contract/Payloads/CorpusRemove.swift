extension Kind {
    public static let corpusRemove = Kind(
        "corpus.remove", family: .corpus, needsTenant: true, access: Access(account: true, tenant: .scope(.corpusWrite)),
        summary: "Takes documents out of the tenant's corpus.")
}

/// `corpus.remove` (contract, section 4).
public struct CorpusRemove: JobPayload, Equatable {
    public static let kind = Kind.corpusRemove

    /// 1 to 1,000, of 1 to 128 characters each.
    public var externalIDs: [String]

    public init(externalIDs: [String]) {
        self.externalIDs = externalIDs
    }

    enum CodingKeys: String, CodingKey {
        case externalIDs = "external_ids"
    }

    public func validate() throws(Rejection) {
        try Rule.count(externalIDs.count, 1...1_000, "/external_ids")
        for (index, id) in externalIDs.enumerated() { try Rule.length(id, 1...128, "/external_ids/\(index)") }
    }

    public static let schema = Schema.object(
        required: ["external_ids"], ["external_ids": Schema.list(Schema.text(1...128), 1...1_000)])

    public static let resultSchema = Schema.object(
        required: ["removed", "missing"], ["removed": Schema.list(Schema.anyText), "missing": Schema.list(Schema.anyText)])
}
