public import AMQP
public import Contract

/// What the fleet needs on the broker, declared idempotently. What ops may change later (limits, lengths) is left to policies.
public struct TopologyDeclaration {
    private let options: FleetOptions

    public init(_ options: FleetOptions) {
        self.options = options
    }

    /// The queues that a family's jobs wait in: one, or its partitions.
    public static func queues(of family: Family, partitions: Int) -> [String] {
        guard partitions > 1 else { return [family.queue] }
        return (0..<partitions).map { "\(family.queue).\($0)" }
    }

    /// Every queue of the fleet: the families', those that retries wait in, and those of unroutable and dead jobs.
    public var queues: [String] {
        Family.allCases.flatMap { Self.queues(of: $0, partitions: options.partitions[$0] ?? 1) }
            + options.ladder.delaysMilliseconds.map(Self.retryQueue)
            + [Topology.controlQueue, Topology.unroutableQueue, Topology.deadQueue]
    }

    /// Every exchange of the fleet, but for those of partitions.
    public static let exchanges = [
        Topology.jobsExchange, Topology.deadExchange, Topology.alertsExchange, Topology.eventsExchange, Topology.retryExchange,
        Topology.unroutableExchange,
    ]

    /// Declares everything over a connection of its own.
    public func apply(to broker: BrokerURL) throws(AMQPError) {
        var connection = try AMQP.Connection(broker, name: "tenantry topology")
        try apply(on: &connection)
        connection.close()
    }

    func apply(on connection: inout AMQP.Connection) throws(AMQPError) {
        try declareExchanges(on: &connection)
        try declareControlQueue(on: &connection)
        for family in Family.allCases { try declare(family, on: &connection) }
        try declareRetryQueues(on: &connection)
    }

    private func declareExchanges(on connection: inout AMQP.Connection) throws(AMQPError) {
        try connection.declareExchange(
            Topology.jobsExchange, type: "topic", arguments: ["alternate-exchange": .text(Topology.unroutableExchange)])
        for name in [Topology.deadExchange, Topology.alertsExchange, Topology.eventsExchange] {
            try connection.declareExchange(name, type: "topic")
        }
        try connection.declareExchange(Topology.retryExchange, type: "headers")
        try connection.declareExchange(Topology.unroutableExchange, type: "fanout")
        try declareQueue(Topology.unroutableQueue, on: &connection)
        try connection.bindQueue(Topology.unroutableQueue, exchange: Topology.unroutableExchange, routingKey: "")
        try declareQueue(Topology.deadQueue, on: &connection)
        try connection.bindQueue(Topology.deadQueue, exchange: Topology.deadExchange, routingKey: "#")
    }

    private func declareControlQueue(on connection: inout AMQP.Connection) throws(AMQPError) {
        try declareQueue(Topology.controlQueue, on: &connection)
        for kind in Kind.all where kind.isControl {
            try connection.bindQueue(Topology.controlQueue, exchange: Topology.jobsExchange, routingKey: kind.name)
        }
    }

    /// Binds the new way before the old way is taken away: what is sent meanwhile may be there twice, and is done once.
    private func declare(_ family: Family, on connection: inout AMQP.Connection) throws(AMQPError) {
        let partitions = options.partitions[family] ?? 1
        try declareQueue(family.queue, on: &connection)
        let hash = "\(family.queue).partitions"
        guard partitions > 1 else {
            for key in family.bindingKeys {
                try connection.bindQueue(family.queue, exchange: Topology.jobsExchange, routingKey: key)
                try connection.unbindExchange(hash, source: Topology.jobsExchange, routingKey: key)
            }
            for key in family.formerBindingKeys {
                try connection.unbindQueue(family.queue, exchange: Topology.jobsExchange, routingKey: key)
                try connection.unbindExchange(hash, source: Topology.jobsExchange, routingKey: key)
            }
            return
        }
        for queue in try leftovers(of: family, on: &connection) {
            try connection.unbindQueue(queue, exchange: hash, routingKey: "10")
        }
        try connection.declareExchange(hash, type: "x-consistent-hash", arguments: ["hash-header": .text(Header.tenant.name)])
        for queue in Self.queues(of: family, partitions: partitions) {
            try declareQueue(queue, on: &connection)
            // The routing key of a binding to a consistent-hash exchange is the queue's weight.
            try connection.bindQueue(queue, exchange: hash, routingKey: "10")
        }
        for key in family.bindingKeys {
            try connection.bindExchange(hash, source: Topology.jobsExchange, routingKey: key)
            // What waits in the single queue from before is still consumed; nothing new goes there.
            try connection.unbindQueue(family.queue, exchange: Topology.jobsExchange, routingKey: key)
        }
        for key in family.formerBindingKeys {
            try connection.unbindExchange(hash, source: Topology.jobsExchange, routingKey: key)
            try connection.unbindQueue(family.queue, exchange: Topology.jobsExchange, routingKey: key)
        }
    }

    /// Queues of partitions that the family no longer has; what waits there is still to be done.
    func leftovers(of family: Family, on connection: inout AMQP.Connection) throws(AMQPError) -> [String] {
        let partitions = options.partitions[family] ?? 1
        var queues: [String] = []
        var index = partitions > 1 ? partitions : 0
        while try connection.inspectQueue("\(family.queue).\(index)") != nil {
            queues.append("\(family.queue).\(index)")
            index += 1
        }
        return queues
    }

    /// One delay queue a step, because a message's time is only looked at when it stands at its queue's head. The time itself travels
    /// with the message, so that it can be configured.
    private func declareRetryQueues(on connection: inout AMQP.Connection) throws(AMQPError) {
        for delay in Set(options.ladder.delaysMilliseconds).sorted() {
            let queue = Self.retryQueue(delayMilliseconds: delay)
            try declareQueue(
                queue,
                arguments: [
                    "x-dead-letter-exchange": .text(Topology.jobsExchange), "x-dead-letter-strategy": "at-least-once",
                    "x-overflow": "reject-publish",
                ], on: &connection)
            try connection.bindQueue(
                queue, exchange: Topology.retryExchange, routingKey: "",
                arguments: ["x-match": "all", Header.retryDelay.name: .int(delay)])
        }
    }

    private static func retryQueue(delayMilliseconds: Int64) -> String { "\(Topology.retryExchange).\(delayMilliseconds)" }

    private func declareQueue(_ name: String, arguments: FieldTable = [:], on connection: inout AMQP.Connection) throws(AMQPError)
    {
        var arguments = arguments
        arguments["x-queue-type"] = "quorum"
        _ = try connection.declareQueue(name, arguments: arguments)
    }
}
