internal import AMQP
internal import Contract
internal import Jobs
internal import Logging
internal import Postgres

extension BatchProcessor {
    /// What became of each of the part's jobs, committed; those that are given up have their letters, with rows written.
    func finish(_ part: Quarantine.Part, on database: inout Postgres.Connection) throws(PostgresError) -> [FinishedJob] {
        try withLetters(try outcomes(of: part, on: &database), on: &database)
    }

    /// Notes whose credentials the jobs came with, once they are through: where it cannot be noted, nothing becomes of that.
    func noteUses(by jobs: [FinishedJob], on database: inout Postgres.Connection) {
        guard database.isUsable, !executor.isToEnd else { return }
        var keys: [String] = []
        var last: Principal?
        for job in jobs {
            // A producer's jobs come in runs.
            guard let sender = job.sender, sender !== last else { continue }
            last = sender
            keys.append(sender.key)
        }
        do throws(PostgresError) {
            try credentialUses.note(keys, on: &database)
        } catch {
            logger.notice(
                "uses of credentials are to be noted later", metadata: [LogKey.lane: "\(lane)", LogKey.error: "\(error)"])
        }
    }

    /// The same jobs; those that are given up with their letters, whose rows are written, as are those of jobs that came by HTTP.
    func withLetters(_ jobs: [FinishedJob], on database: inout Postgres.Connection) throws(PostgresError) -> [FinishedJob] {
        var finished = jobs
        var letters: [DeadLetterRow] = []
        var refusals: [Refusal] = []
        for index in finished.indices {
            if case .succeeded = finished[index].outcome { continue }
            let job = finished[index]
            guard case .dead(let rejection) = ladder.fate(of: job.outcome, delivery: job.delivery) else { continue }
            let letter = DeadLetter(job, rejection, seal: try authorization.seal(from: &database))
            finished[index].letter = letter
            letters.append(DeadLetterRow(letter, job.delivery))
            refusals.append(
                Refusal(
                    kind: job.kind?.name ?? "", code: rejection.code, key: job.sender?.key ?? "",
                    account: job.sender?.account ?? ""))
        }
        try DeadLetterRow.write(letters, on: &database)
        try Refusal.count(refusals, on: &database)
        try HTTPJobEnding.write(jobs, ladder, on: &database)
        return finished
    }

    private func outcomes(
        of part: Quarantine.Part, on database: inout Postgres.Connection
    ) throws(PostgresError) -> [FinishedJob] {
        let batch = part.deliveries
        try notes.begin(part, on: &database)
        if Quarantine.isCrashLoop(begun: part.begun) {
            let rejection = Rejection(.crashLoop, "its worker died \(part.begun + 1) times while this job was in hand")
            // If it is the look at their senders that kills, they are given up without one.
            guard Quarantine.mayLook(begun: part.begun) else {
                return batch.map { FinishedJob($0, sender: nil, .rejected(rejection)) }
            }
            let decisions = try authorization.decide(batch, on: &database)
            return zip(batch, decisions).map {
                FinishedJob($0, sender: $1.sender, isStrangers: $1.sender == nil, .rejected(rejection))
            }
        }
        let decisions = try withinRates(withoutParked(try authorization.decide(batch, on: &database)), on: &database)
        if batch.count == 1, case .admitted(let job) = decisions[0] { executor.update { $0.account = job.account } }
        var jobs: [Job] = []
        jobs.reserveCapacity(batch.count)
        for case .admitted(let job) in decisions {
            jobs.append(job)
            if let tenant = job.tenant { database.touch(tenant.schema) }
        }
        var outcomes = try perform(jobs[...], on: &database)[...]
        return zip(batch, decisions).map { delivery, decision in
            switch decision {
            case .admitted(let job):
                FinishedJob(delivery, sender: job.principal, isByHTTP: job.isByHTTP, outcomes.removeFirst())
            case .refused(let outcome, let sender):
                FinishedJob(delivery, sender: sender, isStrangers: sender == nil, outcome)
            }
        }
    }

    /// The same, but that those wait whose tenants are parked.
    private func withoutParked(_ decisions: [Authorization.Decision]) -> [Authorization.Decision] {
        guard !parked.isEmpty else { return decisions }
        return decisions.map { decision in
            guard case .admitted(let job) = decision, let outcome = parked.outcome(ParkedTenants.key(of: job)) else {
                return decision
            }
            return .refused(outcome, sender: job.principal)
        }
    }

    /// The same, but that those wait which are over their account's or their tenant's share.
    private func withinRates(
        _ decisions: [Authorization.Decision], on database: inout Postgres.Connection
    ) throws(PostgresError) -> [Authorization.Decision] {
        guard decisions.contains(where: \.isRated) else { return decisions }
        var jobs: [Job] = []
        for case .admitted(let job) in decisions { jobs.append(job) }
        let over = try JobRates.over(jobs, on: &database)
        guard !over.isEmpty else { return decisions }
        let cause = "its account or tenant has sent more jobs than its plan allows a minute"
        var index = -1
        return decisions.map { decision in
            guard case .admitted(let job) = decision else { return decision }
            index += 1
            guard over.contains(index) else { return decision }
            return .refused(.deferred(seconds: JobRates.waitSeconds, cause: cause), sender: job.principal)
        }
    }

    /// The jobs' effects, committed. All jobs are of one kind. A transaction that fails by one job's fault is split until that job
    /// stands alone, so that its neighbours go through; one that fails by nobody's, into those of each tenant.
    ///
    /// - Parameter isApart: whether all jobs are of one tenant, for which others are not to wait.
    /// - Throws: only when the database is away.
    private func perform(
        _ jobs: ArraySlice<Job>, isApart: Bool = false, on database: inout Postgres.Connection
    ) throws(PostgresError) -> [Outcome] {
        guard let first = jobs.first else { return [] }
        guard let handler = handlers[first.kind] else {
            // The broker had no binding for a kind that there is: it is declared anew, and the job goes its way once more.
            if lane == LanePlan.unroutable.name {
                return jobs.map { .deferred(seconds: 1, cause: "no queue was bound for \($0.kind.name)") }
            }
            let rejection = Rejection(.unknownKind, "no family of this fleet serves \(first.kind.name)")
            return jobs.map { _ in .rejected(rejection) }
        }
        if !isApart, !parked.isEmpty, jobs.contains(where: { parked.isSuspect(ParkedTenants.key(of: $0)) }) {
            return try performApart(jobs, on: &database)
        }
        var repeats = 0
        while true {
            do {
                let outcomes = try transact(jobs, handler, isApart: isApart, on: &database)
                if isApart { parked.release(ParkedTenants.key(of: first)) }
                return outcomes
            } catch {
                if executor.isToEnd, let error = error as? PostgresError { throw error }
                switch TransactionFailure(error, jobs: jobs.count, repeats: repeats) {
                case .databaseAway(let error): throw error
                case .again:
                    repeats += 1
                case .split:
                    let middle = jobs.startIndex + jobs.count / 2
                    return try perform(jobs[..<middle], isApart: isApart, on: &database)
                        + perform(jobs[middle...], isApart: isApart, on: &database)
                case .apart where !isApart:
                    return try performApart(jobs, on: &database)
                case .apart(let error, let isEnvironment):
                    // What the whole fleet stands on is no single tenant's.
                    if isEnvironment, try !FleetFoundation.problems(on: &database).isEmpty { throw error }
                    logger.warning(
                        "a tenant's jobs wait, others go on",
                        metadata: [LogKey.tenant: "\(ParkedTenants.key(of: first))", LogKey.error: "\(error)"])
                    let outcome = parked.park(ParkedTenants.key(of: first), cause: error.description)
                    return jobs.map { _ in outcome }
                case .alone(.cancelled) where executor.isUnwelcome:
                    return [.deferred(seconds: Self.unwelcomeSeconds, cause: "it takes long, and so do too many others")]
                case .alone(let outcome):
                    logger.notice(
                        "job failed",
                        metadata: [LogKey.jobKind: "\(first.kind.name)", LogKey.jobID: "\(first.id)", LogKey.error: "\(error)"])
                    return [outcome]
                }
            }
        }
    }

    /// Each tenant's jobs by themselves.
    private func performApart(_ jobs: ArraySlice<Job>, on database: inout Postgres.Connection) throws(PostgresError) -> [Outcome]
    {
        var byKey: [String: [Int]] = [:]
        var keys: [String] = []
        for index in jobs.indices {
            let key = ParkedTenants.key(of: jobs[index])
            if byKey[key] == nil { keys.append(key) }
            byKey[key, default: []].append(index)
        }
        var outcomes: [Int: Outcome] = [:]
        for key in keys {
            let indices = byKey[key] ?? []
            let group = indices.map { jobs[$0] }
            for (index, outcome) in zip(indices, try perform(group[...], isApart: true, on: &database)) {
                outcomes[index] = outcome
            }
        }
        return jobs.indices.compactMap { outcomes[$0] }
    }

    /// A job that takes long waits so long until there may be room for it.
    private static let unwelcomeSeconds = 30.0

    private func transact(
        _ jobs: ArraySlice<Job>, _ handler: any JobHandler, isApart: Bool, on database: inout Postgres.Connection
    ) throws -> [Outcome] {
        try database.transaction { database in
            if isApart { _ = try database.query(SQL.setLockTimeout, ParkedTenants.lockTimeout) }
            let outcomes = try handler.handle(jobs, on: &database)
            precondition(outcomes.count == jobs.count, "\(handler.kind.name) answered \(outcomes.count) of \(jobs.count) jobs")
            return outcomes
        }
    }

    enum SQL {
        static let setLockTimeout: Statement = "select set_config('lock_timeout', $1, true)"
    }
}
