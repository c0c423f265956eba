internal import Contract
public import Postgres

/// The leader's duty that tells the platform which chatbots nobody talks to: an event `activity.idle.<account>.<tenant>` for each active
/// tenant without a user's message for so long, once until somebody speaks again.
public enum IdleTenants {
    /// One round, one statement.
    ///
    /// What has been logged since the last recount may not be in `last_active_at` yet: such tenants wait for it.
    ///
    /// - Parameter hours: without a user, since the tenant's creation at the earliest.
    /// - Returns: how many events were written.
    @discardableResult
    public static func announce(afterHours hours: Int64, on database: inout Connection) throws(PostgresError) -> Int {
        var parameters = Parameters()
        parameters.append(hours)
        parameters.append(Topology.eventsExchange)
        parameters.append(LifecycleEvent.activityIdle.rawValue)
        return try database.query(SQL.announce, parameters).affected
    }

    enum SQL {
        static let announce: Statement = """
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
            insert into tenantry.outbox (exchange, routing_key, message_id, type, content_type, body)
            select $2, $3::text || '.' || account || '.' || slug,
                   $3::text || '/' || account || '/' || slug || '/' || (extract(epoch from since) * 1000000)::int8, $3, 'application/json',
                   json_build_object(
                       'event', $3::text, 'account', account, 'tenant', slug,
                       'last_active_at', to_char(last_active_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                       'idle_hours', floor(extract(epoch from now() - since) / 3600)::int8)::text
            from idle
            """
    }
}
