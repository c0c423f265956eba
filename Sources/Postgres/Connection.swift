internal import CLibPQ
internal import Glibc

/// A connection to PostgreSQL, in libpq's pipeline mode, never blocking in libpq once it is open.
///
/// Used by one thread at a time. After a connection loss (`isUsable` is false) it cannot be used any more: make another.
/// Source: libpq's manual, chapters "Pipeline Mode" and "Asynchronous Command Processing".
public struct Connection: ~Copyable {
    let handle: OpaquePointer
    var cache: StatementCache
    var pipeline = Pipeline()
    /// What each transaction has as its time; nil: as long as it takes. Set it while none is open.
    public var deadline: TransactionDeadline?
    /// A statement that is run at the beginning of each transaction and again before its commit, whose rows are dropped: if it fails, so does the
    /// transaction. Set it while none is open.
    public var fence: String?
    var isBroken = false
    /// Bytes given to libpq since its buffer was last known to be empty, and at the last look.
    var unsentBytes = 0
    var unsentBytesAtLastFlush = 0
    /// The schemas that were noted by ``touch(_:)``.
    public private(set) var touchedSchemas: Set<String> = []

    // Reused for each send, so that it allocates nothing.
    var valuePointers: [UnsafePointer<CChar>?] = []
    var binaryFormats: [Int32] = []

    /// Connects, within the options' timeout.
    /// - Throws: `PostgresError` of kind `.connection` if refused, `.usage` if the URL cannot be read.
    public init(_ options: ConnectionOptions) throws(PostgresError) {
        _ = Self.ignoreBrokenPipes
        let keywords = try options.keywords()
        let handle = Self.connect(keywords)
        guard let handle else { throw PostgresError(.connection, "out of memory") }
        guard PQstatus(handle) == CONNECTION_OK else {
            let error = PostgresError(.connection, PostgresError.trimmed(PQerrorMessage(handle)))
            PQfinish(handle)
            throw error
        }
        // Notices would go to standard error.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            PQfinish(handle)
            throw PostgresError(.connection, "libpq refuses pipeline mode")
        }
        self.handle = handle
        cache = StatementCache(capacity: options.statementCacheCapacity)
    }

    deinit { PQfinish(handle) }

    /// The server's process, as in `pg_stat_activity.pid`.
    public var processID: Int32 { PQbackendPID(handle) }

    /// The socket.
    public var descriptor: Int32 { PQsocket(handle) }

    /// False once the connection is lost.
    public var isUsable: Bool { !isBroken && PQstatus(handle) == CONNECTION_OK }

    public var isEncrypted: Bool { PQsslInUse(handle) == 1 }

    /// For example 150018: the major version times 10,000.
    public var serverVersion: Int { Int(PQserverVersion(handle)) }

    /// How many statements it holds prepared.
    public var cacheCount: Int { cache.count }

    public enum TransactionStatus: Sendable {
        case idle
        /// Statements are under way: `collect()` has yet to come.
        case active
        case inTransaction
        /// In a transaction that failed and waits for its rollback.
        case failed
        case unknown
    }

    public var transactionStatus: TransactionStatus {
        switch PQtransactionStatus(handle) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    /// Notes that statements are run in one schema of many. The server's process caches the relations of each schema for as long as the
    /// connection lives, so a connection that has used thousands of schemas has to be replaced.
    public mutating func touch(_ schema: Identifier) { touchedSchemas.insert(schema.name) }

    /// Asks the server to stop what it is doing; what was under way then fails with SQLSTATE 57014. Opens a short connection
    /// of its own, blocking.
    public mutating func cancel() throws(PostgresError) {
        guard let cancellation = PQgetCancel(handle) else { throw lost() }
        defer { PQfreeCancel(cancellation) }
        var message = [CChar](repeating: 0, count: 256)
        guard PQcancel(cancellation, &message, Int32(message.count)) == 1 else {
            throw PostgresError(.connection, PostgresError.trimmed(message))
        }
    }

    /// Throws if the connection is lost, or the transaction's time is over.
    func requireUsable() throws(PostgresError) {
        guard isUsable else { throw PostgresError(.connection, "the connection is lost") }
        if let deadline, deadline.isOver { throw PostgresError(overdue: deadline, statement: nil) }
    }

    /// What a failed result says. What the connection itself had cancelled is overdue.
    func error(of result: OpaquePointer, statement: String?) -> PostgresError {
        let error = PostgresError(result: result, statement: statement)
        if error.sqlState == "57014", let deadline, deadline.isOver {
            return PostgresError(overdue: deadline, statement: statement)
        }
        return error
    }

    /// Marks the connection as lost and returns the reason: the server's own, if it has sent one, or else libpq's.
    mutating func lost() -> PostgresError {
        isBroken = true
        let said = pipeline.firstError
        let statement = said?.statement ?? pipeline.oldest?.sql
        pipeline.removeAll()
        if let said, said.isConnectionLoss || said.kind == .usage { return said }
        let message = PostgresError.trimmed(PQerrorMessage(handle))
        return PostgresError(.connection, message.isEmpty ? "the connection is lost" : message, statement: statement)
    }

    /// A write to a closed socket must be an error, not the end of the process.
    private static let ignoreBrokenPipes: Void = { _ = signal(SIGPIPE, SIG_IGN) }()

    private static func connect(_ keywords: [(String, String)]) -> OpaquePointer? {
        let names = keywords.map { strdup($0.0) }
        let values = keywords.map { strdup($0.1) }
        defer {
            for text in names + values { free(text) }
        }
        let nameList = names.map { UnsafePointer<CChar>($0) } + [nil]
        let valueList = values.map { UnsafePointer<CChar>($0) } + [nil]
        return PQconnectdbParams(nameList, valueList, 1)
    }
}
