internal import Contract

/// What a user of the broker may do, as RabbitMQ takes it: regular expressions over the names of queues and exchanges, and over routing keys.
///
/// Sources: [Access Control](https://www.rabbitmq.com/access-control.html),
/// [Topic Authorisation](https://www.rabbitmq.com/access-control.html#topic-authorisation).
public struct BrokerPermissions: Sendable, Equatable {
    public enum Role: String, Sendable, CaseIterable {
        /// Enqueues jobs and reads the answers.
        case producer
        /// Reads its account's alerts and events.
        case subscriber
        case worker
        /// Runs the commands that need the broker.
        case `operator`
    }

    /// On one exchange, the routing keys that may be published with, and bound with.
    public struct Topic: Sendable, Equatable {
        public let exchange: String
        public let write: String
        public let read: String
    }

    public let configure: String
    public let write: String
    public let read: String
    public let topics: [Topic]

    /// - Parameter account: a valid slug.
    public static func ofAccount(_ account: String, _ roles: Set<Role>) -> BrokerPermissions {
        let own = #"\#(account)\..*"#
        let isSubscriber = roles.contains(.subscriber)
        var written = isSubscriber ? [own] : []
        var readable = [own]
        if roles.contains(.producer) { written.append(pattern(of: Topology.jobsExchange)) }
        if isSubscriber { readable += [Topology.alertsExchange, Topology.eventsExchange].map { pattern(of: $0) } }
        // A `#` would reach over the account's place in the key, so it may stand at the end alone.
        let topics = [(Topology.alertsExchange, 3), (Topology.eventsExchange, 2)].map { exchange, wordsBefore in
            let before = Array(repeating: #"[^.#]+\."#, count: wordsBefore).joined()
            return Topic(exchange: exchange, write: "^$", read: #"^\#(before)\#(account)(\.([^.#]+|#))?$"#)
        }
        return BrokerPermissions(
            configure: anyOf([own]), write: anyOf(written), read: anyOf(readable), topics: isSubscriber ? topics : [])
    }

    /// Declares the topology, consumes, publishes to the fleet's exchanges, and answers over the default exchange.
    public static let worker = BrokerPermissions(
        configure: anyOf([fleet]), write: anyOf([fleet, #"amq\.default"#]), read: anyOf([fleet]), topics: [])

    /// As a worker, but for answers; and queues of its own, which the broker names.
    public static let `operator` = BrokerPermissions(
        configure: anyOf([fleet, named]), write: anyOf([fleet, named]), read: anyOf([fleet, named]), topics: [])

    private static let fleet = #"tenantry\..*"#
    private static let named = #"amq\.gen-.*"#

    private static func pattern(of name: String) -> String { name.replacing(".", with: #"\."#) }
    private static func anyOf(_ patterns: [String]) -> String {
        patterns.count == 1 ? "^\(patterns[0])$" : "^(\(patterns.joined(separator: "|")))$"
    }

    /// The arguments of each call of `rabbitmqctl` that gives a user exactly these permissions on a virtual host.
    public func commands(user: String, virtualHost: String) -> [[String]] {
        [["set_permissions", "--vhost", virtualHost, user, configure, write, read]]
            + topics.map { ["set_topic_permissions", "--vhost", virtualHost, user, $0.exchange, $0.write, $0.read] }
    }
}
