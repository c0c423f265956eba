/// What happens to a fleet at random.
enum RandomFault: String, CaseIterable, Sendable {
    case workerKilled = "a worker gets SIGKILL"
    case workerFrozen = "a worker gets SIGSTOP, and later SIGCONT"
    case workerDrained = "a worker gets SIGTERM"
    case connectionsClosed = "the broker closes all connections"
    case brokerStopped = "the broker is stopped for a while"
    case brokerRestarted = "the broker is restarted"
    case brokerKilled = "the broker is killed and started"
    case alarm = "the broker is in alarm"
    case exchangesDeleted = "exchanges for retries and dead letters are deleted"
    case jobsExchangeDeleted = "the exchange for jobs is deleted"
    case eventsExchangeDeleted = "the exchange for events is deleted"
    case queuesDeleted = "empty queues are deleted"
    case backendsTerminated = "all sessions are terminated"
    case statementsCancelled = "all statements are cancelled"
    case databaseRestarted = "PostgreSQL is stopped fast and started"
    case databaseKilled = "PostgreSQL ends at once and is started"
    case backendKilled = "a backend of PostgreSQL gets SIGKILL"
    case readOnly = "PostgreSQL only reads"
    case diskFull = "PostgreSQL's disk is full"
    case tenantLocked = "a tenant's table is locked"
    case controlLocked = "a table of the control schema is locked"
    case rightsRevoked = "rights are revoked"
    case tableMissing = "a table is missing"
    case brokerCut = "the network to the broker is cut"
    case brokerDelayed = "the network to the broker is slow"
    case brokerSilent = "the network to the broker drops everything"
    case databaseCut = "the network to PostgreSQL is cut"
    case databaseDelayed = "the network to PostgreSQL is slow"
    case databaseSilent = "the network to PostgreSQL drops everything"

    /// Those that can happen here: a disk can be filled where one may be mounted, in a namespace of the tests' own.
    static var possible: [RandomFault] { allCases.filter { $0 != .diskFull || SmallDisk.isPossible } }

    /// Whether it may happen while another one lasts.
    var isOfOneWorker: Bool { self == .workerKilled || self == .workerFrozen || self == .workerDrained }
}
