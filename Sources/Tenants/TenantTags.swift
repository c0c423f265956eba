internal import Contract
internal import Documents
internal import Jobs
internal import Postgres

/// What the header `if-match` of jobs that change a tenant is held against; its row is locked until the commit.
enum TenantTags {
    /// The tenant's entity tag.
    static func present(_ payload: some JobPayload, _ job: Job, on database: inout Transaction) throws -> [String]? {
        let tenant = try TenantRow.hold(for: job, on: &database)
        return try TenantSummary.currentETag(tenant.slug, on: &database).map { [$0] } ?? []
    }

    /// The tenant's, and, if nothing but settings is to change, also theirs.
    static func presentOfUpdate(_ payload: TenantUpdate, _ job: Job, on database: inout Transaction) throws -> [String]? {
        let tenant = try TenantRow.hold(for: job, on: &database)
        var tags = try TenantSummary.currentETag(tenant.slug, on: &database).map { [$0] } ?? []
        guard payload.settings != nil, payload.fieldOfTheAccount == nil else { return tags }
        try SettingsSize.takeTurn(tenant.schema, on: &database)
        tags.append(try SettingsRead.currentETag(in: tenant.schema, on: &database))
        return tags
    }
}
