public import Postgres

/// Something that exactly one worker of the fleet does, again and again.
public struct LeaderDuty: Sendable {
    public let name: String
    public let intervalSeconds: Double
    /// One round, on the leader's own connection; opens its own transactions.
    public let perform: @Sendable (inout Postgres.Connection) throws -> Void

    public init(_ name: String, intervalSeconds: Double, perform: @escaping @Sendable (inout Postgres.Connection) throws -> Void)
    {
        self.name = name
        self.intervalSeconds = intervalSeconds
        self.perform = perform
    }
}
