internal import Contract
internal import Documents
internal import Jobs
internal import Postgres

extension Templates {
    /// `template.save`: documents are read and split now, once, however many tenants are given them. It changes no tenant.
    static func templateSave() -> any JobHandler {
        SingleJobHandler(TemplateSave.self) { payload, job, database in
            let documents = try payload.documents.enumerated().map { index, document in
                try PreparedDocument(HashedDocument(document), index: index)
            }
            try TemplateStore.save(
                payload.name, account: job.account, settings: payload.settings ?? [:], documents: documents, on: &database)
            let chunks = documents.reduce(0) { $0 + $1.chunks.count }
            return Reply([
                "template": .string(payload.name), "documents": .int(Int64(documents.count)), "chunks": .int(Int64(chunks)),
            ])
        }
    }
}
