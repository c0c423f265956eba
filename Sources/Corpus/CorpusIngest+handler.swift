internal import Contract
internal import Crypto
internal import Fleet
internal import Metering
internal import Postgres

extension Corpus {
    /// `corpus.ingest`: each document is stored, split into chunks and indexed in its language, unless nothing about it is new.
    static func corpusIngest() -> any JobHandler {
        SingleJobHandler(CorpusIngest.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("corpus.ingest passed without a tenant") }
            // Two ingestions of one tenant take turns: each decides by what the other has committed.
            try CorpusStore.takeTurn(tenant.schema, on: &database)
            let documents = payload.documents.map { HashedDocument($0) }
            var known = try CorpusStore.known(documents, in: tenant.schema, on: &database)
            var prepared: [PreparedDocument] = []
            var counts = UsageCounts()
            var answers: [JSONValue] = []
            for (index, document) in documents.enumerated() {
                let verdict = known.verdict(on: document)
                switch verdict {
                case .unchanged, .duplicateOf: break
                case .created, .updated:
                    let fresh = try PreparedDocument(document, index: index)
                    counts.documents += verdict == .created ? 1 : 0
                    counts.corpusBytes += document.bytes - known.bytes(of: document.source.externalID)
                    known.note(document)
                    prepared.append(fresh)
                }
                answers.append(answer(document, verdict, chunks: prepared.last?.chunks.count ?? 0))
            }
            try book(counts, of: tenant, on: &database)
            try CorpusStore.write(prepared, in: tenant.schema, on: &database)
            return Reply(["documents": .array(answers)])
        }
    }

    /// `corpus.remove`: the documents with their chunks.
    static func corpusRemove() -> any JobHandler {
        SingleJobHandler(CorpusRemove.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("corpus.remove passed without a tenant") }
            try CorpusStore.takeTurn(tenant.schema, on: &database)
            let removed = try CorpusStore.remove(payload.externalIDs, in: tenant.schema, on: &database)
            var counts = UsageCounts()
            counts.documents = -Int64(removed.count)
            counts.corpusBytes = -removed.reduce(0) { $0 + $1.bytes }
            try book(counts, of: tenant, on: &database)
            let gone = Set(removed.map(\.externalID))
            let missing = payload.externalIDs.filter { !gone.contains($0) }
            return Reply([
                "removed": .array(gone.sorted().map { .string($0) }), "missing": .array(missing.map { .string($0) }),
            ])
        }
    }

    private static func book(_ counts: UsageCounts, of tenant: TenantRecord, on database: inout Connection) throws {
        if counts.documents > 0 || counts.corpusBytes > 0 {
            try HardLimits.takeTurn(account: tenant.account, on: &database)
            try HardLimits.check(
                account: tenant.account, tenant: tenant.slug, period: BillingPeriod.always.start, counts: counts, on: &database)
        }
        try Meter.book([Usage(account: tenant.account, tenant: tenant.slug, period: .always, counts: counts)], on: &database)
    }

    private static func answer(_ document: HashedDocument, _ verdict: Verdict, chunks: Int) -> JSONValue {
        var answer: [String: JSONValue] = ["external_id": .string(document.source.externalID)]
        switch verdict {
        case .created, .updated:
            answer["status"] = .string(verdict == .created ? "created" : "updated")
            answer["chunks"] = .int(Int64(chunks))
        case .unchanged:
            answer["status"] = .string("unchanged")
        case .duplicateOf(let other):
            answer["status"] = .string("duplicate_of")
            answer["duplicate_of"] = .string(other)
        }
        return .object(answer)
    }
}

/// A document of the payload with its content's bytes and their hash.
struct HashedDocument {
    let source: CorpusIngest.Document
    let content: [UInt8]
    /// SHA-256, hexadecimal.
    let hash: String
    /// Everything about it but its content, as one text: equal when nothing there has changed.
    let attributes: String

    var bytes: Int64 { Int64(content.count) }

    init(_ source: CorpusIngest.Document) {
        self.source = source
        content = source.contentBytes
        hash = SHA256.hash(data: content).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let attributes: JSONValue = [
            "title": .string(source.title), "media_type": .string(source.mediaType),
            "language": source.language.map { .string($0) } ?? .null,
            "segment": source.segment.map { .string($0) } ?? .null, "priority": .int(Int64(source.priority ?? 0)),
            "tags": .array((source.tags ?? []).map { .string($0) }), "metadata": source.metadata.map { .object($0) } ?? .null,
        ]
        self.attributes = String(decoding: attributes.serialised(), as: UTF8.self)
    }
}

/// What is to be done with a document.
enum Verdict: Equatable {
    case created, updated, unchanged
    case duplicateOf(String)
}

/// A document that has been read and split.
struct PreparedDocument {
    let document: HashedDocument
    let searchConfiguration: String
    let chunks: [Chunk]

    /// - Throws: `Rejection` with the document's place in the payload, where its content is not what its media type says.
    init(_ document: HashedDocument, index: Int) throws {
        self.document = document
        let field = "/documents/\(index)/\(document.source.content != nil ? "content" : "content_base64")"
        guard let mediaType = MediaType(document.source.mediaType) else {
            throw Rejection.invalid("/documents/\(index)/media_type", "is not supported")
        }
        guard !document.content.contains(0) else { throw Rejection.invalid(field, "a text may not contain NUL") }
        let text: DocumentText
        do throws(ExtractionError) {
            text = try TextExtractor.extract(document.content, as: mediaType)
        } catch {
            throw Rejection.invalid(field, "cannot be read as \(document.source.mediaType): \(error.message)")
        }
        chunks = Chunker().chunks(of: text)
        let language = document.source.language ?? SearchLanguage.detect(chunks.prefix(8).map(\.content).joined(separator: " "))
        searchConfiguration = SearchLanguage.configuration(for: language)
    }
}
