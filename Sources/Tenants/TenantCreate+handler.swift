internal import Contract
internal import Jobs
internal import Postgres

extension Tenants {
    /// `tenant.create`: the tenant's row and its schema, in one transaction.
    static func tenantCreate() -> any JobHandler {
        SingleJobHandler(TenantCreate.self) { payload, job, database in
            let opening = TenantOpening(account: job.account, jobID: job.id)
            switch try opening.open([payload], on: &database)[0] {
            case .created(let schema), .exists(let schema, byThisJob: true):
                return Reply(["tenant": .string(payload.slug), "schema": .string(schema.name)])
            case .exists: throw TenantOpening.slugTaken(payload.slug)
            case .refused(let rejection): throw rejection
            }
        }
    }
}
