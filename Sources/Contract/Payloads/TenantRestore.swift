extension Kind {
    public static let tenantRestore = Kind(
        "tenant.restore", family: .tenant, needsTenant: true, access: Access(account: true), states: .alive, isAudited: true,
        takesPrecondition: true,
        summary: "Undoes an archive, as long as the tenant is not purged.")
}

/// `tenant.restore` (contract, section 4): an empty object. A tenant that was suspended when it was archived is suspended again.
public struct TenantRestore: JobPayload, Equatable {
    public static let kind = Kind.tenantRestore

    public init() {}

    public static let fields = Fields(TenantRestore()) {}

    public static let example = TenantRestore()

    public static let resultSchema = Schema.tenantState
}
