internal import AMQP
internal import Contract
internal import Jobs
internal import Logging
internal import Postgres

extension BatchProcessor {
    /// What became of each of the part's jobs, committed; those that are given up have their letters, with rows written.
    func finish(_ part: Quarantine.Part, on database: inout Postgres.Connection) throws(PostgresError) -> [FinishedJob] {
        var finished = try outcomes(of: part, on: &database)
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
        let decisions = try withinRates(try authorization.decide(batch, on: &database), on: &database)
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
            case .admitted(let job): FinishedJob(delivery, sender: job.principal, outcomes.removeFirst())
            case .refused(let outcome, let sender):
                FinishedJob(delivery, sender: sender, isStrangers: sender == nil, outcome)
            }
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
    /// stands alone, so that its neighbours go through.
    ///
    /// - Throws: only when the database is away.
    private func perform(_ jobs: ArraySlice<Job>, on database: inout Postgres.Connection) throws(PostgresError) -> [Outcome] {
        guard let first = jobs.first else { return [] }
        guard let handler = handlers[first.kind] else {
            let rejection = Rejection(.unknownKind, "no family of this fleet serves \(first.kind.name)")
            return jobs.map { _ in .rejected(rejection) }
        }
        var repeats = 0
        while true {
            do {
                return try transact(jobs, handler, on: &database)
            } catch {
                switch TransactionFailure(error, jobs: jobs.count, repeats: repeats) {
                case .databaseAway(let error): throw error
                case .again:
                    repeats += 1
                case .split:
                    let middle = jobs.startIndex + jobs.count / 2
                    return try perform(jobs[..<middle], on: &database) + perform(jobs[middle...], on: &database)
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

    /// A job that takes long waits so long until there may be room for it.
    private static let unwelcomeSeconds = 30.0

    private func transact(_ jobs: ArraySlice<Job>, _ handler: any JobHandler, on database: inout Postgres.Connection) throws
        -> [Outcome]
    {
        try database.transaction { database in
            let outcomes = try handler.handle(jobs, on: &database)
            precondition(outcomes.count == jobs.count, "\(handler.kind.name) answered \(outcomes.count) of \(jobs.count) jobs")
            return outcomes
        }
    }
}
