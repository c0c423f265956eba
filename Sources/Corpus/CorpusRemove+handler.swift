internal import Contract
internal import Documents
internal import Jobs
internal import Metering
internal import Postgres

extension Corpus {
    /// `corpus.remove`: the documents with their chunks.
    static func corpusRemove() -> any JobHandler {
        SingleJobHandler(CorpusRemove.self, presentTags: presentTags) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("corpus.remove passed without a tenant") }
            try DocumentStore.takeTurn(tenant.schema, on: &database)
            let removed = try DocumentStore.remove(payload.externalIDs, in: tenant.schema, on: &database)
            var counts = UsageCounts()
            counts[.documents] = -Int64(removed.count)
            counts[.corpusBytes] = -removed.reduce(0) { $0 + $1.bytes }
            try DocumentStore.book(counts, account: tenant.account, tenant: tenant.slug, on: &database)
            // Byte by byte, as PostgreSQL compares: `String` takes for equal what Unicode calls canonically equivalent.
            let gone = Set(removed.map { Array($0.externalID.utf8) })
            let missing = payload.externalIDs.filter { !gone.contains(Array($0.utf8)) }
            return Reply([
                "removed": .array(removed.map(\.externalID).sorted().map { .string($0) }),
                "missing": .array(missing.map { .string($0) }),
            ])
        }
    }

    private static func presentTags(_ payload: CorpusRemove, _ job: Job, on database: inout Transaction) throws -> [String]? {
        try presentTags(of: payload.externalIDs, job, on: &database)
    }
}
