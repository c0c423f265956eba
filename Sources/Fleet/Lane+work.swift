internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Logging
internal import Postgres

extension Lane {
    /// Takes a batch, or a part of one, through: examine, effects in one transaction, commit, publish, acknowledge.
    ///
    /// - Throws: `AMQPError` when the consuming connection is lost; `PostgresError` when the database is away.
    func work(_ part: Suspects.Part, _ intake: Intake, _ database: inout Postgres.Connection) throws {
        let began = SystemClock.monotonicSeconds()
        let batch = part.deliveries
        try suspects.begin(part, on: &database)
        if Isolation.isCrashLoop(begun: part.begun) {
            let rejection = Rejection(.crashLoop, "its worker died \(part.begun + 1) times while this job was in hand")
            try settle(batch.map { settled($0, account: "", .rejected(rejection)) }, intake, began: began)
            return try suspects.end(on: &database)
        }
        let verdicts = try examination.examine(batch, on: &database)
        var jobs: [Job] = []
        jobs.reserveCapacity(batch.count)
        for case .job(let job) in verdicts {
            jobs.append(job)
            if let tenant = job.tenant { database.touch(tenant.schema) }
        }
        var outcomes = try perform(jobs[...], on: &database)[...]
        let all = zip(batch, verdicts).map { delivery, verdict in
            switch verdict {
            case .job(let job): settled(delivery, account: job.account, outcomes.removeFirst())
            case .refused(_, let outcome): settled(delivery, account: "", outcome)
            }
        }
        try settle(all, intake, began: began)
        try suspects.end(on: &database)
    }

    private func settled(_ delivery: Delivery, account: String, _ outcome: Outcome) -> Settlement.Settled {
        Settlement.Settled(delivery: delivery, kind: Envelope.kind(of: delivery), account: account, outcome: outcome)
    }

    /// The jobs' effects, committed. All jobs are of one kind. A transaction that fails by one job's fault is split until that job
    /// stands alone, so that its neighbours go through.
    private func perform(_ jobs: ArraySlice<Job>, on database: inout Postgres.Connection) throws -> [Outcome] {
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
                case .alone(let outcome):
                    logger.notice(
                        "job failed",
                        metadata: [LogKey.jobKind: "\(first.kind.name)", LogKey.jobID: "\(first.id)", LogKey.error: "\(error)"])
                    return [outcome]
                }
            }
        }
    }

    private func transact(_ jobs: ArraySlice<Job>, _ handler: any JobHandler, on database: inout Postgres.Connection) throws
        -> [Outcome]
    {
        try database.transaction { database in
            let outcomes = try handler.handle(jobs, on: &database)
            precondition(outcomes.count == jobs.count, "\(handler.kind.name) answered \(outcomes.count) of \(jobs.count) jobs")
            return outcomes
        }
    }

    /// Publishes what the batch has to say, confirmed, and acknowledges it.
    private func settle(_ batch: [Settlement.Settled], _ intake: Intake, began: Double) throws(AMQPError) {
        var settlement = Settlement(options.ladder)
        var endings: [Settlement.Ending: Int] = [:]
        for settled in batch { endings[settlement.add(settled), default: 0] += 1 }
        try deliver(settlement.required, intake)
        try offer(settlement.answers, intake)
        for (routingKey, events) in settlement.events.sorted(by: { $0.key < $1.key }) {
            // One event asks whether anybody is bound to this key; only then are the others worth sending.
            let probe = events[0].event(routingKey: routingKey, isMandatory: true)
            guard try offer([probe], intake).unroutable.isEmpty, events.count > 1 else { continue }
            try offer(events.dropFirst().map { $0.event(routingKey: routingKey, isMandatory: false) }, intake)
        }
        guard let last = batch.last else { return }
        try intake.acknowledge(through: last.delivery.deliveryTag)
        metrics.record(batch, endings, began: began)
    }

    /// Sends dead letters and retries until every one is taken: without that, a job would be lost. One that no queue takes means that the
    /// topology is not there.
    private func deliver(_ messages: [Publisher.Message], _ intake: Intake) throws(AMQPError) {
        var left = messages
        while !left.isEmpty {
            let failures = try send(left, intake)
            left = failures.all.sorted().map { left[$0] }
            guard !left.isEmpty else { return }
            logger.error(
                "no queue takes a retry or a dead letter", metadata: [LogKey.lane: "\(name)", LogKey.count: "\(left.count)"])
            if options.declaresTopology, !failures.unroutable.isEmpty {
                try TopologyDeclaration(options).apply(to: options.broker)
            }
            control.sleep(seconds: 0.5)
            try intake.pump()
            if control.isOverdue { throw AMQPError(.usage, "no queue takes a retry or a dead letter") }
        }
    }

    /// Sends answers and events. A queue that refuses them is its reader's own: nobody else waits for it.
    @discardableResult
    private func offer(_ messages: [Publisher.Message], _ intake: Intake) throws(AMQPError) -> Publisher.Failures {
        let failures = try send(messages, intake, givesUpInTime: true)
        if !failures.refused.isEmpty {
            let count: Logger.MetadataValue = "\(failures.refused.count)"
            logger.warning(
                "answers or events were refused by their queues", metadata: [LogKey.lane: "\(name)", LogKey.count: count])
        }
        return failures
    }

    /// Sends until it is confirmed or refused; the publishing connection may come and go, the consuming one must stay.
    private func send(
        _ messages: [Publisher.Message], _ intake: Intake, givesUpInTime: Bool = false
    ) throws(AMQPError) -> Publisher.Failures {
        var backoff = Backoff()
        while true {
            do throws(AMQPError) {
                return try publisher.send(messages)
            } catch  where error.kind == .timeout && givesUpInTime {
                // Whether they arrived is not known; a queue without its majority never says.
                return Publisher.Failures(refused: Set(messages.indices))
            } catch {
                metrics.reconnects(.broker).increment()
                logger.warning("publishing failed, trying again", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(error)"])
                if control.isOverdue { throw error }
            }
            control.sleep(seconds: min(backoff.nextSeconds(), 1))
            try intake.pump()
        }
    }
}
