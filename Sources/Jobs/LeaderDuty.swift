public import Contract
public import Postgres

/// Something that is done again and again by exactly one worker of the fleet, the leader.
public struct LeaderDuty: Sendable {
    public let name: String
    public let intervalSeconds: Double
    /// Whether a round may take long. Such a duty has a thread and a connection of its own, so that no other duty waits for it.
    public let isBackground: Bool
    /// One round, on a connection of the leader's, which opens its own transactions.
    ///
    /// - Returns: jobs for the fleet to send to itself.
    public let perform: @Sendable (inout Connection) throws -> [FleetJob]

    public init(
        _ name: String, intervalSeconds: Double, isBackground: Bool = false,
        perform: @escaping @Sendable (inout Connection) throws -> Void
    ) {
        self.init(
            name, intervalSeconds: intervalSeconds, isBackground: isBackground,
            sending: { database in
                try perform(&database)
                return []
            })
    }

    /// A duty that finds out which jobs are due.
    public init(
        _ name: String, intervalSeconds: Double, isBackground: Bool = false,
        sending perform: @escaping @Sendable (inout Connection) throws -> [FleetJob]
    ) {
        self.name = name
        self.intervalSeconds = intervalSeconds
        self.isBackground = isBackground
        self.perform = perform
    }
}

/// A job that the fleet sends to itself, under a credential of its own; for kinds whose ``Access`` names the fleet.
public struct FleetJob: Sendable {
    public let kind: Kind
    /// The idempotency key. A duty that asks for the same work again uses the same id, so that a job that is still waiting is done once.
    public let id: String
    public let payload: JSONValue

    public init(_ kind: Kind, id: String, payload: JSONValue) {
        self.kind = kind
        self.id = id
        self.payload = payload
    }
}
