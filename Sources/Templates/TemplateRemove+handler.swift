internal import Contract
internal import Documents
internal import Jobs
internal import Postgres

extension Templates {
    /// `template.remove`: tenants keep what they were given.
    static func templateRemove() -> any JobHandler {
        SingleJobHandler(TemplateRemove.self) { payload, job, database in
            guard try TemplateStore.remove(payload.name, account: job.account, on: &database) else {
                throw Rejection.invalid("/name", "there is no template \"\(payload.name)\"")
            }
            return Reply(["template": .string(payload.name)])
        }
    }
}
