internal import AMQP
internal import Contract
internal import CoreMetrics
internal import Foundation
internal import Logging
internal import Postgres

/// A worker's own looks at its servers, a few seconds apart, each on a thread and a connection of its own: whether what every job needs is there.
///
/// What is missing on the broker is declared anew, so that lanes that have nothing to publish notice it, too.
final class ServerChecks: Sendable {
    private static let intervalSeconds = 5.0
    private static let answerSeconds = 2.0

    private let options: FleetOptions
    private let control: LaneControl
    private let health: LaneHealth
    private let topology: TopologyOwner
    private let logger: Logger

    init(_ environment: LaneEnvironment) {
        options = environment.options
        control = environment.control
        health = environment.health
        topology = environment.topology
        logger = environment.logger
    }

    /// Starts the threads. They end some seconds after a stop was asked for, or with the process.
    func start() {
        start("check broker") { [self] in checkBroker() }
        start("check database") { [self] in checkDatabase() }
    }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    // MARK: The database

    private func checkDatabase() {
        while !control.isStopping {
            do throws(PostgresError) {
                // Each time anew: what an administrator sets for a role or a database holds for new sessions alone.
                var database = try Postgres.Connection(options.laneDatabase)
                health.note(.database, try FleetFoundation.problems(on: &database))
                control.sleep(seconds: Self.intervalSeconds)
            } catch {
                health.note(.database, [error.description.replacing("\n", with: " ")])
                control.sleep(seconds: Self.intervalSeconds / 5)
            }
        }
    }

    // MARK: The broker

    private func checkBroker() {
        let depths = depths()
        while !control.isStopping {
            do throws(AMQPError) {
                // A connection that has published is not read during an alarm, so another one asks for queues.
                var broker = try AMQP.Connection(
                    options.broker, name: "tenantry checks", heartbeatSeconds: options.heartbeatSeconds)
                var sender = try AMQP.Connection(
                    options.broker, name: "tenantry checks out", heartbeatSeconds: options.heartbeatSeconds)
                try sender.enableConfirms()
                while !control.isStopping {
                    var problems = try missing(on: &broker, depths)
                    if !problems.isEmpty, options.declaresTopology {
                        logger.warning(
                            "the topology is declared anew", metadata: [LogKey.error: "\(problems.joined(separator: ", "))"])
                        topology.lost(try topology.declare())
                        _ = try topology.declare()
                        problems = try missing(on: &broker, depths)
                    }
                    if try !takesMessages(&sender) { problems.append("it is in alarm and takes no messages") }
                    health.note(.broker, problems)
                    control.sleep(seconds: Self.intervalSeconds)
                }
                broker.close()
                sender.close()
            } catch {
                health.note(.broker, [error.message])
                control.sleep(seconds: Self.intervalSeconds / 5)
            }
        }
    }

    /// Queues whose messages are told as one number: those of a family, whatever its partitions, and each other queue.
    private struct Depth {
        let gauge: Gauge
        let queues: [String]

        init(_ name: String, _ queues: [String]) {
            gauge = Gauge(label: "tenantry_queue_messages", dimensions: [("queue", name)])
            self.queues = queues
        }
    }

    private func depths() -> [Depth] {
        let families = Family.allCases.map { family in
            Depth(family.queue, TopologyDeclaration.queues(of: family, partitions: options.partitions[family] ?? 1))
        }
        let told = Set(families.flatMap(\.queues))
        return families + TopologyDeclaration(options).queues.filter { !told.contains($0) }.map { Depth($0, [$0]) }
    }

    private func missing(on broker: inout AMQP.Connection, _ depths: [Depth]) throws(AMQPError) -> [String] {
        var problems: [String] = []
        for exchange in TopologyDeclaration.exchanges where try !broker.hasExchange(exchange) {
            problems.append("exchange \(exchange) is missing")
        }
        for depth in depths {
            var messages = 0
            for queue in depth.queues {
                if let info = try broker.inspectQueue(queue) {
                    messages += info.messageCount
                } else {
                    problems.append("queue \(queue) is missing")
                }
            }
            depth.gauge.record(messages)
        }
        return problems
    }

    /// Sends a message without content, which no queue gets. A broker in alarm does not confirm it.
    private func takesMessages(_ broker: inout AMQP.Connection) throws(AMQPError) -> Bool {
        do throws(AMQPError) {
            while try broker.receive(timeoutMilliseconds: 0) != nil {}
            guard !broker.isBlocked else { return false }
            _ = try broker.publish(exchange: "", routingKey: Topology.noQueue, properties: Properties(), body: [])
            _ = try broker.awaitConfirms(timeoutSeconds: Self.answerSeconds)
            return !broker.isBlocked
        } catch {
            switch error.kind {
            case .blocked, .timeout: return false
            // Who may not send there is not told.
            case .channel where error.replyCode == 403:
                try broker.reopenChannel()
                return true
            default: throw error
            }
        }
    }
}
