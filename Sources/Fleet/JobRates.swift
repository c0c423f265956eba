internal import Contract
internal import Jobs
internal import Postgres

/// The shares of accounts and tenants: who has sent more jobs than its plan allows a minute waits, so that others do not wait for him.
///
/// One bucket each in the database, drawn on once a batch in one statement for all. Whoever has no rate costs nothing.
enum JobRates {
    /// A job over the rate waits at least so long.
    static let waitSeconds = 5.0

    /// Draws for jobs, in order: the last ones of a batch are those that wait.
    ///
    /// - Returns: the indices of the jobs that are over their account's or their tenant's rate.
    static func over(_ jobs: [Job], on database: inout Postgres.Connection) throws(PostgresError) -> Set<Int> {
        var asked: [String: (rate: Int64, jobs: Int64)] = [:]
        let owners = jobs.map { $0.kind.isControl ? [] : rated($0) }
        for (owner, rate) in owners.joined() { asked[owner, default: (rate, 0)].jobs += 1 }
        guard !asked.isEmpty else { return [] }
        let names = asked.keys.sorted()
        let rates = names.map { asked[$0]!.rate }
        _ = try database.query(SQL.ensure, names, rates)
        let drawn = try database.query(SQL.draw, names, rates, names.map { asked[$0]!.jobs }).decode((String, Int64).self)
        var left = Dictionary(uniqueKeysWithValues: drawn)
        return Set(
            owners.indices.filter { index in
                guard owners[index].allSatisfy({ left[$0.owner, default: 0] > 0 }) else { return true }
                for (owner, _) in owners[index] { left[owner, default: 0] -= 1 }
                return false
            })
    }

    /// The buckets that a job is drawn from. Operators and the fleet itself have none.
    private static func rated(_ job: Job) -> [(owner: String, rate: Int64)] {
        var owners: [(owner: String, rate: Int64)] = []
        if let rate = job.principal.jobsPerMinute { owners.append((job.account, rate)) }
        if !job.account.isEmpty, let tenant = job.tenant, let rate = tenant.jobsPerMinute {
            owners.append(("\(job.account)/\(tenant.slug)", rate))
        }
        return owners
    }

    enum SQL {
        /// A full bucket for whoever has none yet.
        static let ensure: Statement = """
            insert into tenantry.job_rates (owner, tokens)
            select owner, rate::float8 from unnest($1::text[], $2::int8[]) as a (owner, rate) order by owner
            on conflict (owner) do nothing
            """
        /// Locked in the order of their names, so that lanes do not wait for each other in a ring.
        static let draw: Statement = """
            with held as (
                select r.owner, a.asked,
                       least(a.rate, r.tokens + a.rate * extract(epoch from clock_timestamp() - r.drawn_at)::float8 / 60) as tokens
                from tenantry.job_rates r
                join unnest($1::text[], $2::int8[], $3::int8[]) as a (owner, rate, asked) on a.owner = r.owner
                order by r.owner for update of r
            )
            update tenantry.job_rates r
            set tokens = h.tokens - least(h.asked, greatest(floor(h.tokens), 0)), drawn_at = clock_timestamp()
            from held h where r.owner = h.owner
            returning r.owner, least(h.asked, greatest(floor(h.tokens), 0))::int8
            """
    }
}
