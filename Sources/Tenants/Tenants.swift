internal import Contract
public import Jobs

/// The kinds `tenant.*`: an account's chatbots, from their creation to their purge.
public enum Tenants {
    /// - Parameter retentionDays: from a tenant's archive to its purge, where the job does not say.
    public static func handlers(retentionDays: Int64) -> [any JobHandler] {
        [
            tenantCreate(), tenantCreateMany(), tenantUpdate(), tenantSuspend(), tenantResume(),
            tenantDelete(retentionDays: retentionDays), tenantRestore(),
        ]
    }

    /// What the leader does: purge archived tenants whose time has come.
    public static func duties() -> [LeaderDuty] {
        let purges = DuePurges()
        return [LeaderDuty("purge", intervalSeconds: 1, isBackground: true) { try purges.run(on: &$0) }]
    }
}

extension OutboxMessage {
    /// An event about a tenant, with its account and slug in the data.
    static func event(
        _ what: LifecycleEvent, account: String, tenant: String, job id: String, _ data: [String: JSONValue]
    ) -> OutboxMessage {
        var data = data
        data["account"] = .string(account)
        data["tenant"] = .string(tenant)
        return event(what, subject: [account, tenant], id: id, data)
    }
}
