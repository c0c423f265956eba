internal import AMQP
internal import Contract
internal import Synchronization

/// Declares the topology for all lanes of a worker: once, and again after each loss of the broker.
///
/// The first lane that asks declares it over a connection of its own while the others wait for it; then all go on with what it found. When
/// a lane loses the broker, or its queue is not there, it says which declaration it had: unless another lane has declared anew since, the
/// next one that asks does.
final class TopologyOwner: Sendable {
    /// What a declaration found.
    struct Declared: Sendable {
        /// Counts the worker's declarations.
        let number: Int
        /// Each served family's queues of partitions that it no longer has; what waits there is still to be done.
        let leftovers: [Family: [String]]

        static let none = Declared(number: 0, leftovers: [:])
    }

    private struct State {
        var last = Declared.none
        var isValid = false
    }

    private let options: FleetOptions
    private let state = Mutex(State())

    init(_ options: FleetOptions) {
        self.options = options
    }

    /// The declaration that holds, made now if there is none. Where the worker is told not to declare, the leftovers alone are asked for.
    func declare() throws(AMQPError) -> Declared {
        // Whoever waits here has nothing to do before the queues are there.
        try state.withLock { state throws(AMQPError) in
            if !state.isValid {
                state.last = Declared(number: state.last.number + 1, leftovers: try apply())
                state.isValid = true
            }
            return state.last
        }
    }

    /// Notes that the broker was lost, or lacks something, under this declaration.
    func lost(_ declared: Declared) {
        state.withLock { state in
            if state.last.number == declared.number { state.isValid = false }
        }
    }

    private func apply() throws(AMQPError) -> [Family: [String]] {
        let topology = TopologyDeclaration(options)
        var connection = try AMQP.Connection(options.broker, name: "tenantry topology")
        if options.declaresTopology { try topology.apply(on: &connection) }
        var leftovers: [Family: [String]] = [:]
        for family in options.lanes.keys { leftovers[family] = try topology.leftovers(of: family, on: &connection) }
        connection.close()
        return leftovers
    }
}
