internal import Contract
internal import Documents
internal import Jobs
internal import Metering
internal import Postgres

extension Corpus {
    /// `corpus.ingest`: each document is stored, split into chunks and indexed in its language, unless nothing about it is new.
    static func corpusIngest() -> any JobHandler {
        SingleJobHandler(CorpusIngest.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("corpus.ingest passed without a tenant") }
            // Two ingestions of one tenant take turns, so that the second compares with what the first has committed.
            try DocumentStore.takeTurn(tenant.schema, on: &database)
            let documents = payload.documents.map { HashedDocument($0) }
            var known = try DocumentStore.known(documents.map(\.digest), in: tenant.schema, on: &database)
            var prepared: [PreparedDocument] = []
            var counts = UsageCounts()
            var answers: [JSONValue] = []
            for (index, document) in documents.enumerated() {
                let outcome = known.outcome(of: document.digest)
                switch outcome {
                case .unchanged, .duplicateOf: break
                case .created, .updated:
                    let fresh = try PreparedDocument(document, index: index)
                    counts[.documents] += outcome == .created ? 1 : 0
                    counts[.corpusBytes] += document.bytes - known.bytes(of: document.source.externalID)
                    known.note(document.digest)
                    prepared.append(fresh)
                }
                answers.append(outcome.entry(of: document.source.externalID, chunks: prepared.last?.chunks.count ?? 0))
            }
            try DocumentStore.book(counts, account: tenant.account, tenant: tenant.slug, on: &database)
            try DocumentStore.write(prepared, in: tenant.schema, on: &database)
            return Reply(["documents": .array(answers)])
        }
    }
}
