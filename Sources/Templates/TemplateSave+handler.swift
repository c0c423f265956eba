internal import Contract
internal import Documents
internal import Jobs
internal import Postgres

extension Templates {
    /// `template.save`: documents are read and split now, once, however many tenants are given them. It changes no tenant.
    ///
    /// All or nothing: a document that yields too much text refuses the template.
    static func templateSave() -> any JobHandler {
        SingleJobHandler(TemplateSave.self, presentTags: presentTags) { payload, job, database in
            try TemplateStore.begin(payload.name, account: job.account, settings: payload.settings ?? [:], on: &database)
            let documents = payload.documents.map { HashedDocument($0) }
            var allowance = TextAllowance(sourceBytes: documents.map(\.byteCount))
            var writer = DocumentWriter(.template(account: job.account, name: payload.name))
            var chunks = 0
            for (index, document) in documents.enumerated() {
                let offer = allowance.offer(sourceBytes: document.byteCount)
                let prepared = try PreparedDocument(document, index: index, within: offer)
                allowance.spend(textBytes: prepared.textBytes, chunkBytes: prepared.chunkBytes)
                chunks += prepared.chunkCount
                try writer.add(prepared, on: &database)
            }
            try writer.flush(on: &database)
            return Reply([
                "template": .string(payload.name), "documents": .int(Int64(documents.count)), "chunks": .int(Int64(chunks)),
            ])
        }
    }

    private static func presentTags(_ payload: TemplateSave, _ job: Job, on database: inout Transaction) throws -> [String]? {
        try presentTags(of: payload.name, job, on: &database)
    }
}
