internal import Contract
internal import Documents
internal import Jobs
internal import Postgres

extension Templates {
    /// `template.apply`: the tenant is given what the template holds now, and keeps it when the template changes.
    static func templateApply() -> any JobHandler {
        SingleJobHandler(TemplateApply.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("template.apply passed without a tenant") }
            let outcome = try TemplateStore.apply(
                payload.template, account: tenant.account, tenant: tenant.slug, schema: tenant.schema, on: &database)
            guard let outcome else {
                throw Rejection.invalid("/template", "there is no template \"\(payload.template)\"")
            }
            return Reply(outcome.result.merging(["template": .string(payload.template)]) { own, _ in own })
        }
    }
}
