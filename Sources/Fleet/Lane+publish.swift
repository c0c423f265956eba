internal import AMQP
internal import CoreMetrics
internal import Logging

extension Lane {
    /// Publishes what the batch has to say, confirmed, and acknowledges it.
    func publish(_ batch: [FinishedJob], _ intake: Intake, began: Double) throws(Interruption) {
        var messages = PostCommitMessages(options.ladder)
        var endings: [FinishedJob.Ending: Int] = [:]
        for job in batch { endings[messages.add(job), default: 0] += 1 }
        try deliver(messages.required, intake)
        try offer(messages.answers, intake)
        for (routingKey, events) in messages.events.sorted(by: { $0.key < $1.key }) {
            // One event asks whether anybody is bound to this key; only then are the others worth sending.
            let probe = events[0].event(routingKey: routingKey, isMandatory: true)
            guard try offer([probe], intake).unroutable.isEmpty, events.count > 1 else { continue }
            try offer(events.dropFirst().map { $0.event(routingKey: routingKey, isMandatory: false) }, intake)
        }
        try intake.acknowledge(batch.map(\.delivery.deliveryTag))
        metrics.record(batch, endings, began: began)
    }

    /// Sends dead letters and retries until every one is taken: without that, a job would be lost. One that no queue takes means that the
    /// topology is not there.
    private func deliver(_ messages: [Publisher.OutgoingMessage], _ intake: Intake) throws(Interruption) {
        var left = messages
        while !left.isEmpty {
            let failures = try send(left, intake)
            left = failures.all.sorted().map { left[$0] }
            guard !left.isEmpty else { return }
            logger.error(
                "no queue takes a retry or a dead letter", metadata: [LogKey.lane: "\(name)", LogKey.count: "\(left.count)"])
            if options.declaresTopology, !failures.unroutable.isEmpty {
                environment.topology.lost(declared)
                declared = try Interruption.onBroker { () throws(AMQPError) in try environment.topology.declare() }
            }
            control.sleep(seconds: 0.5)
            try intake.pump()
            if control.isOverdue { throw .stopped }
        }
    }

    /// Sends answers and events. A queue that refuses them is its reader's own: nobody else waits for it.
    @discardableResult
    private func offer(_ messages: [Publisher.OutgoingMessage], _ intake: Intake) throws(Interruption) -> Publisher.Failures {
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
        _ messages: [Publisher.OutgoingMessage], _ intake: Intake, givesUpInTime: Bool = false
    ) throws(Interruption) -> Publisher.Failures {
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
                if control.isOverdue { throw .stopped }
            }
            control.sleep(seconds: min(backoff.nextSeconds(), 1))
            try intake.pump()
        }
    }
}
