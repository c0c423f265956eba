internal import Contract
internal import Jobs
internal import Postgres

/// The shares of accounts and tenants: who has sent more jobs than its plan allows a minute waits, so that others do not wait for him.
///
/// One bucket each in the database, drawn on once a batch in one statement for all. Whoever has no rate costs nothing.
enum JobRates {
    /// A job over the rate waits at least so long.
    static let waitSeconds = 5.0

    /// Draws for jobs, in order: the last ones of a batch are those that wait. Tenants' buckets come first, so that what waits by its tenant's rate
    /// takes nothing from its account's other tenants.
    ///
    /// - Returns: the indices of the jobs that are over their account's or their tenant's rate.
    static func over(_ jobs: [Job], on database: inout Postgres.Connection) throws(PostgresError) -> Set<Int> {
        // Operators and the fleet itself have no rate, and what has to act at once is not held back.
        let rated = jobs.indices.filter { !jobs[$0].account.isEmpty && !jobs[$0].kind.isControl }
        let overTenants = try drawn(rated, on: &database) { index in
            let job = jobs[index]
            return job.tenant.flatMap { tenant in tenant.jobsPerMinute.map { ("\(job.account)/\(tenant.slug)", $0) } }
        }
        let overAccounts = try drawn(rated.filter { !overTenants.contains($0) }, on: &database) { index in
            jobs[index].principal.jobsPerMinute.map { (jobs[index].account, $0) }
        }
        return overTenants.union(overAccounts)
    }

    /// Draws one for each job that has a bucket.
    ///
    /// - Parameter bucket: whose it is, and its rate; nil: it has none.
    /// - Returns: those for whom nothing was left.
    private static func drawn(
        _ indices: [Int], on database: inout Postgres.Connection, _ bucket: (Int) -> (owner: String, rate: Int64)?
    ) throws(PostgresError) -> Set<Int> {
        var asked: [String: (rate: Int64, indices: [Int])] = [:]
        for index in indices {
            if let (owner, rate) = bucket(index) { asked[owner, default: (rate, [])].indices.append(index) }
        }
        guard !asked.isEmpty else { return [] }
        let names = asked.keys.sorted()
        let rates = names.map { asked[$0]!.rate }
        _ = try database.query(SQL.ensure, names, rates)
        let drawn = try database.query(SQL.draw, names, rates, names.map { Int64(asked[$0]!.indices.count) })
            .decode((String, Int64).self)
        return Set(drawn.flatMap { owner, count in asked[owner]!.indices.dropFirst(Int(count)) })
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
