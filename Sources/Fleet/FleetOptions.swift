public import AMQP
public import Contract
public import Postgres

/// What a worker is told: where its servers are, which families it serves, and its bounds.
public struct FleetOptions: Sendable {
    public var broker: BrokerURL
    public var database: ConnectionOptions
    /// Lanes of each family served; a family that is not named is not served.
    public var lanes: [Family: Int]
    /// Queues of each partitioned family; absent or 1: one queue.
    public var partitions: [Family: Int]
    /// The largest batch of one transaction.
    public var batchLimit: Int
    /// Payload bytes that a lane holds before it stops reading from its broker.
    public var bufferBytes: Int
    public var heartbeatSeconds: Int
    /// What takes longer goes on apart, so that others do not wait for it; a transaction of ten times as long is cancelled.
    public var jobSeconds: Double
    /// What a transaction's longest time is, in `jobSeconds`.
    var mostJobTimes = 10.0
    /// How long a lane waits for a lock that another transaction holds; after that the tenant's jobs wait by themselves.
    var lockMilliseconds = 2_000
    public var ladder: RetryLadder
    /// The longest that a drain may take before what is left goes back to the broker.
    public var drainSeconds: Double
    /// Answers of finished jobs are kept so long for a repeat.
    public var inboxRetentionHours: Int64
    /// Dead letters are kept so long, and so many of them; the oldest go first.
    public var deadRetentionDays: Int64
    public var mostDeadLetters: Int64
    /// How often the leader looks after them.
    public var deadIntervalSeconds: Double
    /// A lane renews its database connection after working in so many schemas, once the job in hand is done: a backend never forgets one.
    public var schemasPerConnection: Int
    /// Whether the worker declares the topology when it starts and after each loss of the broker.
    public var declaresTopology: Bool

    public init(broker: BrokerURL, database: ConnectionOptions) {
        self.broker = broker
        self.database = database
        self.lanes = Dictionary(uniqueKeysWithValues: Family.allCases.map { ($0, $0.defaultLanes) })
        self.partitions = [:]
        self.batchLimit = 5_000
        self.bufferBytes = 64 << 20
        self.heartbeatSeconds = 30
        self.jobSeconds = 10
        self.ladder = RetryLadder()
        self.drainSeconds = 25
        self.inboxRetentionHours = 168
        self.deadRetentionDays = 30
        self.mostDeadLetters = 1_000_000
        self.deadIntervalSeconds = 60
        self.schemasPerConnection = 4_000
        self.declaresTopology = true
    }

    // MARK: Sessions

    /// What a lane's sessions are like. A lock that another transaction holds for long is not waited for, and a worker that is frozen does not
    /// hold its own for long.
    var laneDatabase: ConnectionOptions { database(lockMilliseconds: lockMilliseconds, idleSeconds: 60) }
    /// Whoever leads no more, and does not know it, is not to keep the next leader waiting.
    var dutiesDatabase: ConnectionOptions { database(lockMilliseconds: 5_000, idleSeconds: 8) }
    var backgroundDatabase: ConnectionOptions { database(lockMilliseconds: 10_000, idleSeconds: 60) }

    private func database(lockMilliseconds: Int, idleSeconds: Int) -> ConnectionOptions {
        var options = database
        options.lockTimeoutMilliseconds = lockMilliseconds
        options.idleInTransactionSeconds = idleSeconds
        return options
    }
}
