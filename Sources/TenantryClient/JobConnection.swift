internal import AMQP
internal import DequeModule

/// The thread's side: makes the connection, sends what the dispatcher has, reads what the broker says, and makes a new connection
/// when one is lost. Only the thread that `run()` is called on touches it.
final class JobConnection {
    /// The broker sends what is published to this name's successor straight to our channel, and nobody else can read it. The job
    /// must go out on the channel that consumes. Source: [Direct reply-to](https://www.rabbitmq.com/direct-reply-to.html).
    private static let replyQueue = "amq.rabbitmq.reply-to"
    /// Jobs taken from the dispatcher, and events read, before the other side has its turn.
    private static let turn = 256

    private let dispatcher: JobDispatcher
    private let url: BrokerURL
    private let name: String
    private let authorization: String
    /// Sequences that are not confirmed, ascending.
    private var open: Deque<UInt64> = []

    init(_ dispatcher: JobDispatcher, url: BrokerURL, name: String, authorization: String) {
        self.dispatcher = dispatcher
        self.url = url
        self.name = name
        self.authorization = authorization
    }

    func run() {
        var backoff = Backoff()
        while !dispatcher.isOver {
            do throws(AMQPError) {
                var connection = try connect()
                dispatcher.connected()
                backoff = Backoff()
                try serve(&connection)
                connection.close()
            } catch {
                let isChannelError = error.kind == .channel
                let failure =
                    isChannelError
                    ? ClientError(channelClosed: error, exchange: Topology.jobsExchange) : ClientError(brokerLost: error)
                dispatcher.lost(failure, isChannelError: isChannelError)
                dispatcher.rest(seconds: backoff.nextSeconds())
            }
        }
        dispatcher.ended()
    }

    private func connect() throws(AMQPError) -> AMQP.Connection {
        open.removeAll()
        var connection = try AMQP.Connection(url, name: name)
        try connection.enableConfirms()
        try connection.consume(Self.replyQueue, tag: "answers", isAcknowledging: false)
        return connection
    }

    /// Sends and receives until the end.
    private func serve(_ connection: inout AMQP.Connection) throws(AMQPError) {
        let idleSeconds = url.idleSeconds
        while !dispatcher.isOver {
            let publishes = dispatcher.takePublishes(Self.turn)
            try publish(publishes, on: &connection)
            let received = try receive(on: &connection)
            guard publishes.isEmpty, received == 0, !connection.hasBufferedInput else { continue }
            dispatcher.sleep(descriptor: connection.descriptor, seconds: idleSeconds)
        }
    }

    private func publish(_ publishes: [JobStateMachine.Publish], on connection: inout AMQP.Connection) throws(AMQPError) {
        guard !publishes.isEmpty else { return }
        var sequences: [(ticket: JobStateMachine.Ticket, sequence: UInt64)] = []
        var unsent: [(ticket: JobStateMachine.Ticket, error: AMQPError)] = []
        for publish in publishes {
            do throws(AMQPError) {
                let sequence = try self.publish(publish.job, as: publish.ticket, on: &connection)
                sequences.append((publish.ticket, sequence))
                open.append(sequence)
            } catch  where error.kind == .usage || error.kind == .blocked {
                unsent.append((publish.ticket, error))
            }
        }
        dispatcher.report { machine in
            for (ticket, sequence) in sequences { machine.published(ticket, sequence: sequence) }
            var progress: [JobStateMachine.Progress] = []
            // From the last to the first, as each goes to the front of the queue.
            for (ticket, error) in unsent.reversed() {
                if error.kind == .blocked {
                    machine.isBlocked = true
                    machine.putBack(ticket)
                } else if let job = machine.fail(ticket, ClientError(.invalid, error.message, because: error)) {
                    progress.append(job)
                }
            }
            return progress
        }
    }

    private func publish(
        _ job: JobStateMachine.Job, as ticket: JobStateMachine.Ticket, on connection: inout AMQP.Connection
    ) throws(AMQPError) -> UInt64 {
        let request = job.request
        var properties = Properties(contentType: "application/json")
        properties.type = request.kind
        properties.messageID = request.id
        properties.timestamp = job.enqueuedAt
        if job.wantsAnswer {
            properties.replyTo = Self.replyQueue
            properties.correlationID = String(ticket)
        }
        properties.headers = [
            Header.authorization.name: .text(request.credential.map { "Bearer \($0)" } ?? authorization)
        ]
        properties.headers[Header.tenant.name] = request.tenant.map { .text($0) }
        properties.headers[Header.traceparent.name] = request.traceparent.map { .text($0) }
        properties.headers[Header.ifMatch.name] = request.ifMatch.map { .text($0) }
        properties.headers[Header.http.name] = request.isByHTTP ? true : nil
        return try connection.publish(
            exchange: Topology.jobsExchange, routingKey: request.kind, properties: properties, body: request.body, mandatory: true
        )
    }

    /// Takes in what is there, without waiting.
    ///
    /// - Returns: how much it was.
    private func receive(on connection: inout AMQP.Connection) throws(AMQPError) -> Int {
        var answers: [(ticket: JobStateMachine.Ticket, body: [UInt8])] = []
        var isBlocked: Bool?
        var events = 0
        while events < Self.turn, let event = try connection.receive(timeoutMilliseconds: 0) {
            events += 1
            switch event {
            case .delivery(let delivery):
                guard let ticket = delivery.correlationID.flatMap({ JobStateMachine.Ticket($0) }) else { continue }
                answers.append((ticket, delivery.withBody { Array($0) }))
            case .blocked: isBlocked = true
            case .unblocked: isBlocked = false
            case .consumerCancelled(let tag): throw AMQPError(.connection, "the broker cancelled consumer \(tag)")
            case .returned: break  // with confirms a return is in the outcome
            }
        }
        let confirms = takeConfirms(of: &connection)
        guard events > 0 || !confirms.isEmpty else { return 0 }
        dispatcher.report { machine in
            if let isBlocked { machine.isBlocked = isBlocked }
            // Answers first: a job that is answered needs no confirm.
            return answers.compactMap { machine.answered($0.ticket, $0.body) }
                + confirms.compactMap { machine.confirmed($0.sequence, $0.confirm) }
        }
        return events + confirms.count
    }

    private func takeConfirms(
        of connection: inout AMQP.Connection
    ) -> [(sequence: UInt64, confirm: JobStateMachine.Confirm)] {
        guard connection.unconfirmedCount < open.count else { return [] }
        var settled: [UInt64] = []
        while let first = open.first, !connection.isUnconfirmed(first) {
            settled.append(first)
            open.removeFirst()
        }
        if connection.unconfirmedCount < open.count {
            // One queue confirms later than another: those behind it are looked for.
            var left: Deque<UInt64> = []
            for sequence in open {
                if connection.isUnconfirmed(sequence) { left.append(sequence) } else { settled.append(sequence) }
            }
            open = left
        }
        let outcome = connection.takeOutcome()
        let refused = Set(outcome.nacked)
        let returned = Set(outcome.returned.map(\.sequence))
        return settled.map { ($0, returned.contains($0) ? .unroutable : refused.contains($0) ? .refused : .accepted) }
    }
}
