internal import Contract
public import Fleet

/// The kinds `tenant.*`: the chatbots of an account, from their opening to their purge.
public enum Tenants {
    /// - Parameter retentionDays: from a tenant's archive to its purge, where the job does not say.
    public static func handlers(retentionDays: Int64) -> [any JobHandler] { [tenantCreate()] }
}
