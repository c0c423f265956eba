internal import Contract
internal import Documents
internal import Jobs
internal import Postgres

extension Templates {
    /// `template.remove`: tenants keep what they were given.
    static func templateRemove() -> any JobHandler {
        SingleJobHandler(TemplateRemove.self, presentTags: presentTags) { payload, job, database in
            guard try TemplateStore.remove(payload.name, account: job.account, on: &database) else {
                throw Rejection.invalid("/name", "there is no template \"\(payload.name)\"")
            }
            return Reply(["template": .string(payload.name)])
        }
    }

    /// The template's entity tag; it is locked until the commit.
    static func presentTags(of name: String, _ job: Job, on database: inout Transaction) throws -> [String]? {
        guard try TemplateStore.holdForChange(name, account: job.account, on: &database) else { return [] }
        return try TemplateDetails.currentETag(name, account: job.account, on: &database).map { [$0] } ?? []
    }

    private static func presentTags(_ payload: TemplateRemove, _ job: Job, on database: inout Transaction) throws -> [String]? {
        try presentTags(of: payload.name, job, on: &database)
    }
}
