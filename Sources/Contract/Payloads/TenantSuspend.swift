extension Kind {
    public static let tenantSuspend = Kind(
        "tenant.suspend", family: .tenant, needsTenant: true, access: Access(account: true), states: .counted, isControl: true,
        isAudited: true, takesPrecondition: true,
        summary: "Lets a tenant take no jobs until it is resumed; its data stays.")
}

/// `tenant.suspend` (contract, section 4): an empty object. Suspending twice is suspending once.
public struct TenantSuspend: JobPayload, Equatable {
    public static let kind = Kind.tenantSuspend

    public init() {}

    public static let fields = Fields(TenantSuspend()) {}

    public static let example = TenantSuspend()

    public static let resultSchema = Schema.tenantState
}
