extension Kind {
    public static let tenantResume = Kind(
        "tenant.resume", family: .tenant, needsTenant: true, access: Access(account: true), states: .counted, isControl: true,
        isAudited: true, takesPrecondition: true,
        summary: "Lets a suspended tenant take jobs again.")
}

/// `tenant.resume` (contract, section 4): an empty object. Resuming an active tenant changes nothing.
public struct TenantResume: JobPayload, Equatable {
    public static let kind = Kind.tenantResume

    public init() {}

    public static let fields = Fields(TenantResume()) {}

    public static let example = TenantResume()

    public static let resultSchema = Schema.tenantState
}
