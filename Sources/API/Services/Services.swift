internal import Jobs
public import Logging
internal import Metrics
internal import Postgres
public import TenantryClient

/// What every route works with.
public struct Services: Sendable {
    let database: DatabasePool
    /// Apart from the others: a password takes long to check.
    let signIns: DatabasePool
    let jobs: JobGateway
    let limiter: RateLimiter
    let uses = CredentialUses()
    let exports: Exports
    let bodies = BodyBudget()
    let options: APIOptions
    let platform: any Platform
    let logger: Logger
    /// Looks after the servers from time to time; to be run beside the API.
    public let watch: ServerWatch

    public init(
        database: DatabasePool, signIns: DatabasePool, client: JobClient, options: APIOptions, platform: any Platform,
        logger: Logger
    ) {
        self.database = database
        exports = Exports(database.options)
        self.signIns = signIns
        jobs = JobGateway(client: client, database: database)
        limiter = RateLimiter(perMinute: options.requestsPerMinute)
        self.options = options
        self.platform = platform
        self.logger = logger
        watch = ServerWatch(database: database, client: client)
    }
}

extension Services {
    /// Notes that a credential is used now. Nothing depends on it: what cannot be noted is noted later.
    func note(use key: String, on database: inout Postgres.Connection) {
        do throws(PostgresError) {
            try uses.note(CollectionOfOne(key), on: &database)
        } catch {
            logger.notice("the use of a credential is to be noted later", metadata: ["error": "\(error)"])
        }
    }

    /// For `/ready`: whether the database and the broker answered when they were last asked.
    public var readiness: @Sendable () -> Readiness { { [watch] in watch.readiness } }
}

/// How the API behaves.
public struct APIOptions: Sendable {
    public var host = "127.0.0.1"
    /// 0 takes a free one.
    public var port = 0
    /// Requests of one credential, or of one address without a credential, in a minute.
    public var requestsPerMinute = 6_000
    /// Connections of clients that are open at once.
    public var mostConnections = 4_096
    /// Hours without a user's message after which a tenant is idle; 0: it never is.
    public var idleHours: Int64 = 720
    /// PEM files; nil: no TLS, for loopback or behind a proxy that has it.
    public var certificateFile: String?
    public var keyFile: String?
    /// Origins of web pages that may call the API.
    public var corsOrigins: [String] = []
    /// Whether a proxy stands before it that names the client last in `X-Forwarded-For`.
    public var isBehindProxy = false
    /// How long clients may take.
    var times = ClientTimes()

    public init() {}
}

/// What an operator reads and does beside the database: the broker's queues and the letters in one of them.
public protocol Platform: Sendable {
    /// Each queue's name and how many messages are ready in it, and how many consumers it has.
    func queues() async throws -> [QueueReading]
    /// What lies in the dead-letter queue under an id; nil: nothing, or not among the first letters of a long queue.
    func letter(_ id: String) async throws -> LetterContent?
    /// Sends letters' jobs again, or throws letters away, confirmed by the broker.
    ///
    /// - Parameter ids: the letters'.
    func settle(_ ids: [String], _ deed: LetterDeed) async throws -> LetterOutcome
}

/// The broker cannot be asked: answered with 503.
public struct BrokerAway: Error {
    public let reason: String

    public init(reason: String) {
        self.reason = reason
    }
}

/// A dead letter itself. No credential's secret and no password is in it.
public struct LetterContent: Sendable {
    /// By name, as texts.
    public let headers: [String: String]
    public let replyTo: String?
    /// The beginning of the job's body, as it lies there.
    public let payload: String
    /// Whether the body goes on.
    public let isCut: Bool

    public init(headers: [String: String], replyTo: String?, payload: String, isCut: Bool) {
        self.headers = headers
        self.replyTo = replyTo
        self.payload = payload
        self.isCut = isCut
    }
}

public enum LetterDeed: Sendable {
    case replay, discard
}

/// What became of letters that were to be settled.
public struct LetterOutcome: Sendable {
    /// The ids of letters that are gone.
    public let done: [String]
    /// Why letters were left where they are.
    public let left: [String]

    public init(done: [String], left: [String]) {
        self.done = done
        self.left = left
    }
}

/// A queue, as the broker tells of it.
public struct QueueReading: Sendable {
    public let name: String
    public let messages: Int64
    public let consumers: Int64

    public init(name: String, messages: Int64, consumers: Int64) {
        self.name = name
        self.messages = messages
        self.consumers = consumers
    }
}
