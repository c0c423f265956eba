internal import Contract
internal import Jobs
internal import Postgres

extension Tenants {
    /// `tenant.delete`: archives the tenant, which frees its place and is purged later; or purges it at once.
    static func tenantDelete(retentionDays: Int64) -> any JobHandler {
        SingleJobHandler(TenantDelete.self, presentTags: TenantTags.present) { payload, job, database in
            guard payload.mode == .archive else {
                guard let tenant = job.tenant else { preconditionFailure("tenant.delete passed without a tenant") }
                let purged = try TenantPurge.run(tenant.slug, jobID: job.id, on: &database)
                return Reply(["tenant": .string(tenant.slug), "state": "purged", "purged": purged.result])
            }
            let tenant = try TenantRow.hold(for: job, on: &database)
            guard tenant.state != .archived else {
                // The days count from the archive, so a repeated job changes nothing.
                let purgeAt = try database.query(ArchiveSQL.prolong, tenant.slug, payload.retentionDays).only(Timestamp.self)
                return Reply(archived(tenant, purgeAt: purgeAt))
            }
            let days = payload.retentionDays ?? retentionDays
            let result = archived(
                tenant, purgeAt: try database.query(ArchiveSQL.archive, tenant.slug, days).only(Timestamp.self))
            try ChildTenants.book(-1, account: tenant.account, on: &database)
            try tenant.announce(.tenantArchived, .archived, by: job, ["purge_at": result["purge_at"] ?? .null], on: &database)
            return Reply(result)
        }
    }

    private static func archived(_ tenant: TenantRow, purgeAt: Timestamp) -> [String: JSONValue] {
        var result = tenant.result(.archived)
        result["purge_at"] = .string(purgeAt.rfc3339)
        return result
    }

    /// `tenant.restore`: back to the state before the archive, if the account has a place.
    static func tenantRestore() -> any JobHandler {
        SingleJobHandler(TenantRestore.self, presentTags: TenantTags.present) { _, job, database in
            let tenant = try TenantRow.hold(for: job, on: &database)
            guard tenant.state == .archived else { return Reply(tenant.result(tenant.state)) }
            var places = try ChildTenants(of: tenant.account, on: &database)
            guard places.room(for: 1) == 1 else { throw places.refusal }
            try places.take(1, on: &database)
            let state: TenantState = tenant.isSuspended ? .suspended : .active
            _ = try database.query(ArchiveSQL.restore, tenant.slug, state.rawValue)
            try tenant.announce(.tenantRestored, state, by: job, on: &database)
            return Reply(tenant.result(state))
        }
    }
}

enum ArchiveSQL {
    static let archive: Statement = """
        update tenantry.tenants set state = 'archived', archived_at = now(), purge_at = now() + $2 * interval '1 day', updated_at = now()
        where slug = $1 returning purge_at
        """
    static let prolong: Statement = """
        update tenantry.tenants
        set purge_at = coalesce(archived_at + $2 * interval '1 day', purge_at),
            updated_at = case when $2 is null then updated_at else now() end
        where slug = $1 returning purge_at
        """
    static let restore: Statement = """
        update tenantry.tenants set state = $2, archived_at = null, purge_at = null, updated_at = now() where slug = $1
        """
}
