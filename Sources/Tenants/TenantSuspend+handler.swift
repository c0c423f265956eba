internal import Contract
internal import Jobs
internal import Postgres

extension Tenants {
    /// `tenant.suspend`: jobs that are sent after the answer are rejected.
    static func tenantSuspend() -> any JobHandler {
        SingleJobHandler(TenantSuspend.self, presentTags: TenantTags.present) { _, job, database in
            let tenant = try TenantRow.hold(for: job, on: &database)
            if tenant.state == .active {
                _ = try database.query(SuspensionSQL.suspend, tenant.slug)
                try tenant.announce(.tenantSuspended, .suspended, by: job, on: &database)
            }
            return Reply(tenant.result(.suspended))
        }
    }

    /// `tenant.resume`: jobs that are sent after the answer are accepted again.
    static func tenantResume() -> any JobHandler {
        SingleJobHandler(TenantResume.self, presentTags: TenantTags.present) { _, job, database in
            let tenant = try TenantRow.hold(for: job, on: &database)
            if tenant.state == .suspended {
                _ = try database.query(SuspensionSQL.resume, tenant.slug)
                try tenant.announce(.tenantResumed, .active, by: job, on: &database)
            }
            return Reply(tenant.result(.active))
        }
    }
}

enum SuspensionSQL {
    static let suspend: Statement = """
        update tenantry.tenants set state = 'suspended', suspended_at = now(), updated_at = now() where slug = $1
        """
    static let resume: Statement = """
        update tenantry.tenants set state = 'active', suspended_at = null, updated_at = now() where slug = $1
        """
}
