internal import Dispatch
public import Postgres

/// A connection to the database for tasks: each call waits on a thread that does not belong to the pool that runs them, one after the other.
///
/// Unchecked: `connection` is only touched on `queue`, which is serial.
public final class QueuedConnection: @unchecked Sendable {
    private let options: ConnectionOptions
    private let queue: DispatchQueue
    private var connection: Connection?

    /// - Parameter name: of the queue, for debuggers.
    public init(_ options: ConnectionOptions, name: String) {
        self.options = options
        queue = DispatchQueue(label: name)
    }

    /// - Throws: what `body` throws. Whatever it was, the next call begins on a connection that is known to be good.
    public func run<Result: Sendable>(
        _ body: @escaping @Sendable (inout Connection) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result { try self.onQueue(body) }) }
        }
    }

    private func onQueue<Result>(_ body: (inout Connection) throws -> Result) throws -> Result {
        if connection == nil { connection = try Connection(options) }
        do {
            return try body(&connection!)
        } catch {
            connection = nil
            throw error
        }
    }
}
