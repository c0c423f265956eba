internal import Dispatch
internal import Foundation
internal import Jobs
public import Postgres
internal import Synchronization

/// Connections to the database, each with a thread of its own, for requests that wait for them without holding one up.
///
/// A connection is made when it is first needed, and again when it was lost. Each has a ``Directory`` of what it knows of credentials and
/// tenants. Works are taken in order; when too many wait, the next is refused. One account's works have half of the connections at most, and
/// half of the line: the others' do not wait for them.
public final class DatabasePool: Sendable {
    typealias Work = @Sendable (inout Postgres.Connection, Directory) throws -> Void

    /// What is to be done, and how the requester hears that it cannot be.
    private struct Order {
        /// Whose it is; nil: nobody's in particular.
        let account: String?
        let work: Work
        let deadline = DispatchTime.now() + .seconds(DatabasePool.mostWaitSeconds)
        let fail: @Sendable (Problem) -> Void
    }

    private struct State {
        var waiting: [Order] = []
        /// Works under way, by account.
        var working: [String: Int] = [:]
        var isClosed = false
        /// Monotonic time before which no connection is tried: the last attempt failed.
        var isAwayUntil = DispatchTime(uptimeNanoseconds: 0)

        /// Whether another work of this account may wait.
        func hasRoom(for account: String?) -> Bool {
            guard !isClosed, waiting.count < DatabasePool.mostWaiting else { return false }
            return account == nil || waiting.count { $0.account == account } < DatabasePool.mostWaiting / 2
        }

        /// Takes the first work whose account has less than its share under way; nil: there is none.
        mutating func take(share: Int) -> Order? {
            let next = waiting.firstIndex { order in order.account.map { working[$0, default: 0] < share } ?? true }
            guard let order = next.map({ waiting.remove(at: $0) }) else { return nil }
            if let account = order.account { working[account, default: 0] += 1 }
            return order
        }

        mutating func end(_ order: Order) {
            guard let account = order.account, let count = working[account] else { return }
            working[account] = count > 1 ? count - 1 : nil
        }
    }

    let options: ConnectionOptions
    private let state = Mutex(State())
    private let arrivals = DispatchSemaphore(value: 0)
    private let size: Int

    /// How long a work waits for a connection at most.
    private static let mostWaitSeconds = 10
    /// Works that wait for a connection before the next is refused.
    private static let mostWaiting = 512
    /// How long a single statement may take.
    static let statementSeconds = 15
    /// How long nothing is tried after a connection could not be made.
    private static let pauseMilliseconds = 250
    /// Schemas that a connection works in before it is replaced: a backend never forgets one.
    fileprivate static let schemasPerConnection = 2_000

    /// Starts the threads; they end with ``close()``.
    ///
    /// - Parameter size: how many connections there are at most, above 0.
    public init(_ options: ConnectionOptions, size: Int) {
        self.options = options
        self.size = size
        for number in 0..<size {
            let thread = Thread { [self] in serve() }
            thread.name = "api database \(number)"
            thread.start()
        }
    }

    /// Runs some work on one of the connections. It may run twice: if the connection is lost, once more on another.
    ///
    /// - Parameter account: whose share of the connections it is on; nil: nobody's.
    /// - Throws: `Problem` (`unavailable`) if the database is away or too many wait; what the work throws.
    func run<Value: Sendable>(
        for account: String? = nil,
        _ work: @escaping @Sendable (inout Postgres.Connection, Directory) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Value, any Error>) in
            let order = Order(
                account: account,
                work: { database, directory in
                    let value: Value
                    do {
                        value = try work(&database, directory)
                    } catch let error as PostgresError where error.isConnectionLoss || error.fault == .session {
                        throw error
                    } catch {
                        return continuation.resume(throwing: error)
                    }
                    continuation.resume(returning: value)
                },
                fail: { continuation.resume(throwing: $0) })
            let isTaken = state.withLock { state in
                guard state.hasRoom(for: account) else { return false }
                state.waiting.append(order)
                return true
            }
            if isTaken { arrivals.signal() } else { order.fail(.unavailable("too many requests wait for the database")) }
        }
    }

    /// Ends the threads once what waits is through.
    public func close() {
        state.withLock { $0.isClosed = true }
        for _ in 0..<size { arrivals.signal() }
    }

    /// Works that wait for a connection.
    var waiting: Int { state.withLock { $0.waiting.count } }

    /// Whether the database answered when it was last asked.
    var isAway: Bool { state.withLock { $0.isAwayUntil > .now() } }

    // MARK: A thread

    private func next() -> Order? {
        while true {
            arrivals.wait()
            let (order, isOver) = state.withLock { state in
                (state.take(share: max(1, size / 2)), state.isClosed && state.waiting.isEmpty)
            }
            if let order { return order }
            guard isOver else { continue }
            // The next thread is to see it, too.
            arrivals.signal()
            return nil
        }
    }

    private func serve() {
        let session = Session(options)
        while let order = next() {
            carryOut(order, session)
            let isMore = state.withLock { state in
                state.end(order)
                return !state.waiting.isEmpty || state.isClosed
            }
            // One that has waited for its account's share may be taken now.
            if isMore { arrivals.signal() }
        }
    }

    /// What was lost before anything came back is tried once more on a new connection.
    private func carryOut(_ order: Order, _ session: Session) {
        guard order.deadline > .now() else { return order.fail(.unavailable("the database is too busy")) }
        for _ in 0..<2 {
            if !session.isConnected {
                // Whoever comes just after a failed attempt need not wait for another one.
                guard !isAway, session.connect() else {
                    if !isAway { state.withLock { $0.isAwayUntil = .now() + .milliseconds(Self.pauseMilliseconds) } }
                    return order.fail(.unavailable("the database cannot be reached"))
                }
            }
            if session.carryOut(order.work) { return }
        }
        order.fail(.unavailable("the database was lost"))
    }

    /// A thread's connection, with what it knows of credentials and tenants.
    private final class Session {
        private let options: ConnectionOptions
        private var connection: Postgres.Connection?
        private var directory = Directory()

        init(_ options: ConnectionOptions) {
            self.options = options
        }

        var isConnected: Bool { connection != nil }

        /// - Returns: false if it cannot be made.
        func connect() -> Bool {
            do throws(PostgresError) {
                connection = try Postgres.Connection(options)
                try connection!.run(script: "set statement_timeout = '\(DatabasePool.statementSeconds)s'")
                directory = Directory()
                return true
            } catch {
                connection = nil
                return false
            }
        }

        /// - Returns: false if the connection was lost.
        func carryOut(_ work: Work) -> Bool {
            do {
                try work(&connection!, directory)
            } catch {
                connection = nil
                return false
            }
            if isWorn(&connection!) { connection = nil }
            return true
        }

        private func isWorn(_ connection: inout Postgres.Connection) -> Bool {
            !connection.isUsable || connection.touchedSchemas.count > DatabasePool.schemasPerConnection
        }
    }
}
