internal import Contract
internal import Documents
internal import Jobs
internal import Metering
internal import Postgres

extension Corpus {
    /// `corpus.ingest`: each document is stored, split into chunks and indexed in its language, unless nothing about it is new.
    ///
    /// Documents are read and written one after the other. One that yields too much text is refused by itself; the others go in.
    static func corpusIngest() -> any JobHandler {
        SingleJobHandler(CorpusIngest.self, presentTags: presentTags) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("corpus.ingest passed without a tenant") }
            // Two ingestions of one tenant take turns, so that the second compares with what the first has committed.
            try DocumentStore.takeTurn(tenant.schema, on: &database)
            let documents = payload.documents.map { HashedDocument($0) }
            var known = try DocumentStore.known(documents.map(\.digest), in: tenant.schema, on: &database)
            var allowance = TextAllowance(sourceBytes: documents.map(\.byteCount))
            var writer = DocumentWriter(.tenant(schema: tenant.schema))
            var counts = UsageCounts()
            var answers: [JSONValue] = []
            for (index, document) in documents.enumerated() {
                let offer = allowance.offer(sourceBytes: document.byteCount)
                var digest = document.digest
                var (outcome, chunks) = (known.outcome(of: digest), 0)
                if outcome == .created || outcome == .updated {
                    do {
                        let fresh = try PreparedDocument(document, index: index, within: offer)
                        allowance.spend(textBytes: fresh.textBytes, chunkBytes: fresh.chunkBytes)
                        digest.bytes = fresh.countedBytes
                        counts[.documents] += outcome == .created ? 1 : 0
                        counts[.corpusBytes] += digest.bytes - known.bytes(of: digest.externalID)
                        known.note(digest)
                        chunks = fresh.chunkCount
                        try writer.add(fresh, on: &database)
                    } catch let rejection as Rejection where rejection.code == .payloadTooLarge {
                        outcome = .rejected(rejection)
                    }
                }
                answers.append(outcome.entry(of: digest.externalID, chunks: chunks))
            }
            try writer.flush(on: &database)
            try DocumentStore.book(counts, account: tenant.account, tenant: tenant.slug, on: &database)
            return Reply(["documents": .array(answers)])
        }
    }

    private static func presentTags(_ payload: CorpusIngest, _ job: Job, on database: inout Transaction) throws -> [String]? {
        try presentTags(of: payload.documents.map(\.externalID), job, on: &database)
    }

    /// The entity tag of the one document that a job changes, none of which changes before the commit; nil where there are several.
    static func presentTags(of ids: [String], _ job: Job, on database: inout Transaction) throws -> [String]? {
        guard ids.count == 1, let tenant = job.tenant else { return nil }
        try DocumentStore.takeTurn(tenant.schema, on: &database)
        return try DocumentDetails.currentETag(ids[0], in: tenant.schema, on: &database).map { [$0] } ?? []
    }
}
