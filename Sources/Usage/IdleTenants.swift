internal import Contract
public import Jobs
public import Postgres

/// The leader's duty that tells the platform which chatbots nobody talks to: an event `activity.idle.<account>.<tenant>` for each active
/// tenant without a user's message for so long, once until a user writes again.
public enum IdleTenants {
    /// - Parameter hours: as ``announce(afterHours:on:)`` has them.
    public static func duty(afterHours hours: Int64) -> LeaderDuty {
        LeaderDuty("idle tenants", intervalSeconds: 60) { database in
            _ = try database.transaction { database in try announce(afterHours: hours, on: &database) }
        }
    }

    /// One round, one statement.
    ///
    /// What has been logged since the last recount may not be in `last_active_at` yet: such tenants wait for it.
    ///
    /// - Parameter hours: without a user, since the tenant's creation at the earliest.
    /// - Returns: how many events were written.
    @discardableResult
    public static func announce(afterHours hours: Int64, on database: inout Transaction) throws(PostgresError) -> Int {
        let events = try database.query(SQL.note, hours).decode {
            (account: String, tenant: String, since: Int64, lastActiveAt: Timestamp?, idleHours: Int64) in
            OutboxMessage.event(
                .activityIdle, subject: [account, tenant], id: String(since),
                [
                    "account": .string(account), "tenant": .string(tenant),
                    "last_active_at": lastActiveAt.map { .string($0.rfc3339) } ?? .null, "idle_hours": .int(idleHours),
                ])
        }
        try Outbox.append(events, on: &database)
        return events.count
    }

    enum SQL {
        /// Of each tenant: account, slug, since when in microseconds, when somebody last spoke, how many hours ago that is.
        static let note: Statement = """
            with idle as (
                select t.slug, t.account, t.last_active_at, coalesce(t.last_active_at, t.created_at) as since
                from tenantry.tenants t join tenantry.accounts a on a.slug = t.account
                where t.state = 'active' and coalesce(t.last_active_at, t.created_at) < now() - $1 * interval '1 hour'
                  and (t.idle_notified_at is null or t.idle_notified_at < coalesce(t.last_active_at, t.created_at))
                  and not exists (
                      select from tenantry.tenant_usage u
                      where u.tenant = t.slug and u.period_start > '-infinity' and u.changed_at > a.recounted_at)
                order by t.slug for no key update of t skip locked
            ), noted as (
                update tenantry.tenants t set idle_notified_at = now() from idle where t.slug = idle.slug
            )
            select account, slug, (extract(epoch from since) * 1000000)::int8, last_active_at,
                   floor(extract(epoch from now() - since) / 3600)::int8
            from idle
            """
    }
}
