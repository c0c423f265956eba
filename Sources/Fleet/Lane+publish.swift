internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Jobs
internal import Logging

extension Lane {
    /// Has published what the batch has to say, and acknowledges it: once what must not be lost is confirmed or kept in the database. The rest may
    /// still be on its way.
    ///
    /// - Parameter executor: that reported the batch, or that has nothing in hand; nil: one that is started when it is needed.
    func publish(_ batch: [FinishedJob], _ intake: Intake, began: Double, _ executor: JobExecutor?) throws(Interruption) {
        var messages = PostCommitMessages(options.ladder)
        var endings: [FinishedJob.Ending: Int] = [:]
        for job in batch { endings[messages.add(job), default: 0] += 1 }
        if name == LanePlan.unroutable.name, endings[.deferred] != nil { bindAnew() }
        try deliver(messages.required, intake, executor)
        try offer(messages.optional, intake)
        try intake.acknowledge(batch.map(\.delivery.deliveryTag))
        metrics.record(batch, endings, began: began)
        pace.note(jobs: batch.count, seconds: SystemClock.monotonicSeconds() - began)
        noteProgress()
    }

    // MARK: What must not be lost

    /// How long the broker is waited for; after a failure, how long until it has taken something again.
    private static let patienceSeconds = 5.0
    private static let impatienceSeconds = 0.5

    /// Sends dead letters and retries until every one is taken, by a queue or by the database.
    func deliver(
        _ messages: [PostCommitMessages.Required], _ intake: Intake, _ executor: JobExecutor?
    ) throws(Interruption) {
        var left = messages
        while !left.isEmpty {
            left = try publish(left, intake)
            guard !left.isEmpty else { return }
            logger.error(
                "the broker does not take retries or dead letters",
                metadata: [LogKey.lane: "\(name)", LogKey.count: "\(left.count)"])
            left.removeFirst(try keep(left, intake, executor))
            guard !left.isEmpty else { return }
            control.sleep(seconds: 1)
            try intake.pump()
            if control.isOverdue { throw .stopped }
        }
    }

    /// Publishes all together; then, what is missing declared anew, one by one, so that what no queue takes holds up no other.
    ///
    /// - Returns: those that were not taken.
    private func publish(
        _ messages: [PostCommitMessages.Required], _ intake: Intake
    ) throws(Interruption) -> [PostCommitMessages.Required] {
        var left: [PostCommitMessages.Required] = []
        do throws(AMQPError) {
            let failures = try publisher.send(messages.map(\.message), seconds: requiredSeconds)
            left = failures.all.sorted().map { messages[$0] }
            requiredSeconds = Self.patienceSeconds
            guard !left.isEmpty else { return [] }
            if !failures.unroutable.isEmpty { try declareAnew() }
            // A channel that a full queue has refused something goes on refusing for it, also when there is room again.
            if !failures.refused.isEmpty { publisher.reset() }
        } catch {
            left = messages
            note(error)
            guard error.kind != .blocked, error.kind != .timeout else { return left }
            do throws(AMQPError) {
                try declareAnew()
            } catch {
                return left
            }
        }
        var refused: [PostCommitMessages.Required] = []
        for (index, message) in left.enumerated() {
            do throws(AMQPError) {
                if try !publisher.send([message.message], seconds: requiredSeconds).all.isEmpty {
                    refused.append(message)
                    publisher.reset()
                }
            } catch {
                note(error)
                refused.append(message)
                // Only what the broker says of this one message is this message's.
                guard error.kind == .channel || error.kind == .connection && error.replyCode != nil else {
                    return refused + left[(index + 1)...]
                }
            }
            if index % 100 == 99 { try intake.pump() }
        }
        return refused
    }

    private func note(_ error: AMQPError) {
        requiredSeconds = Self.impatienceSeconds
        metrics.reconnects(.broker).increment()
        logger.warning("publishing failed", metadata: [LogKey.lane: "\(name)", LogKey.error: "\(error)"])
    }

    /// A kind that there is had no queue: a binding is missing, which nobody can see but by that.
    private func bindAnew() {
        logger.warning("jobs had no queue, the topology is declared anew", metadata: [LogKey.lane: "\(name)"])
        do throws(AMQPError) {
            try declareAnew()
        } catch {
            note(error)
        }
    }

    private func declareAnew() throws(AMQPError) {
        environment.topology.lost(declared)
        declared = try environment.topology.declare()
    }

    /// Has messages kept in the database. Meanwhile the broker's connections are read.
    ///
    /// - Returns: how many of them, from the first on.
    private func keep(
        _ messages: [PostCommitMessages.Required], _ intake: Intake, _ executor: JobExecutor?
    ) throws(Interruption) -> Int {
        if executor == nil { try startMain(intake) }
        guard let executor = executor ?? main else { return 0 }
        executor.keep(messages)
        while true {
            // Before the reports are looked at: what comes from now on wakes.
            wakeUp.clear()
            switch executor.nextReport() {
            case .kept(let count): return count
            case .ended(let interruption):
                if main === executor { main = nil }
                throw interruption
            case .idle, .finished, .dropped: preconditionFailure("the executor was to keep messages")
            case nil:
                if control.isOverdue { throw .stopped }
                try intake.pump()
                intake.wait(for: [wakeUp.descriptor], timeoutMilliseconds: 250)
            }
        }
    }

    // MARK: What may be lost

    /// Hands over answers and events, and waits a moment for them unless they are stuck anyway.
    private func offer(_ items: [BestEffortPublisher.Item], _ intake: Intake) throws(Interruption) {
        guard !items.isEmpty else { return }
        let ticket = bestEffort.add(items)
        let end = SystemClock.monotonicSeconds() + BestEffortPublisher.patienceSeconds
        while true {
            wakeUp.clear()
            if bestEffort.isThrough(ticket) { return }
            let left = end - SystemClock.monotonicSeconds()
            guard left > 0, !control.isOverdue else { return bestEffort.fallBehind() }
            try intake.pump()
            intake.wait(for: [wakeUp.descriptor], timeoutMilliseconds: Int32(left * 1_000) + 1)
        }
    }
}
