internal import Dispatch
internal import Foundation
internal import NIOCore
internal import Postgres
internal import Synchronization
internal import Tenants

/// Exports under way, each with a connection and a thread of its own, a few at most.
final class Exports: Sendable {
    private let options: ConnectionOptions
    /// Exports under way, by account.
    private let counts = Mutex<[String: Int]>([:])

    private static let most = 4
    private static let mostOfAccount = 2

    init(_ options: ConnectionOptions) {
        self.options = options
    }

    /// One of the exports that there may be. Its place is free again when nobody holds it any more.
    fileprivate final class Place: Sendable {
        private let exports: Exports
        private let account: String

        init(_ exports: Exports, _ account: String) {
            self.exports = exports
            self.account = account
        }

        deinit {
            exports.counts.withLock { counts in
                counts[account, default: 1] -= 1
                if counts[account] == 0 { counts[account] = nil }
            }
        }
    }

    /// An export, which begins when its first chunk is asked for.
    ///
    /// - Throws: `Problem` (503) if there are too many.
    func export(_ slug: String, of account: String) throws(Problem) -> ExportChunks {
        let isTaken = counts.withLock { counts in
            guard counts.values.reduce(0, +) < Self.most, counts[account, default: 0] < Self.mostOfAccount else { return false }
            counts[account, default: 0] += 1
            return true
        }
        guard isTaken else { throw .unavailable("too many exports are under way", retryAfterSeconds: 30) }
        let place = Place(self, account)
        return ExportChunks { [options] chunks in
            let thread = Thread {
                defer { withExtendedLifetime(place) {} }
                do {
                    var database = try Postgres.Connection(options)
                    _ = try TenantExport.run(slug, on: &database, line: { try chunks.put($0) })
                    chunks.end(nil)
                } catch {
                    chunks.end(error)
                }
            }
            thread.name = "api export"
            thread.start()
        }
    }
}

/// What an export has read and nobody has taken yet: a few chunks at most, then the reading waits.
final class ExportChunks: Sendable {
    private struct Stopped: Error {}

    private struct State {
        var isBegun = false
        var filling = ByteBuffer()
        var ready: [ByteBuffer] = []
        var isEnded = false
        var failure: (any Error)?
        var isStopped = false
        var taker: CheckedContinuation<ByteBuffer?, any Error>?
    }

    private let state = Mutex(State())
    /// Chunks that may still be put there. It begins with nothing, since one that has less at its end than at its beginning must not go.
    private let room = DispatchSemaphore(value: 0)

    private static let mostReady = 4
    private static let chunkBytes = 256 << 10

    private let begin: @Sendable (ExportChunks) -> Void

    /// - Parameter begin: starts what fills it.
    init(begin: @escaping @Sendable (ExportChunks) -> Void) {
        self.begin = begin
        for _ in 0..<Self.mostReady { room.signal() }
    }

    // MARK: For the thread that reads

    fileprivate func put(_ line: UnsafeRawBufferPointer) throws {
        let isFull = try state.withLock { state in
            guard !state.isStopped else { throw Stopped() }
            state.filling.writeBytes(line)
            return state.filling.readableBytes >= Self.chunkBytes
        }
        if isFull { flush() }
    }

    private func flush() {
        room.wait()
        state.withLock { state in
            // Nobody will make room any more.
            if state.isStopped { room.signal() }
            let chunk = state.filling
            state.filling = ByteBuffer()
            guard chunk.readableBytes > 0 else { return }
            if let taker = state.taker {
                state.taker = nil
                room.signal()
                taker.resume(returning: chunk)
            } else {
                state.ready.append(chunk)
            }
        }
    }

    fileprivate func end(_ failure: (any Error)?) {
        if failure == nil { flush() }
        state.withLock { state in
            state.isEnded = true
            state.failure = failure
            guard let taker = state.taker else { return }
            state.taker = nil
            if let failure { taker.resume(throwing: failure) } else { taker.resume(returning: nil) }
        }
    }

    // MARK: For the answer

    /// The next chunk; nil at the end.
    func next() async throws -> ByteBuffer? {
        let isFirst = state.withLock { state in
            defer { state.isBegun = true }
            return !state.isBegun
        }
        if isFirst { begin(self) }
        return try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                if !state.ready.isEmpty {
                    room.signal()
                    continuation.resume(returning: state.ready.removeFirst())
                } else if state.isEnded {
                    if let failure = state.failure {
                        continuation.resume(throwing: failure)
                    } else {
                        continuation.resume(returning: nil)
                    }
                } else {
                    state.taker = continuation
                }
            }
        }
    }

    /// Nobody takes any more: the reading ends.
    func stop() {
        state.withLock { $0.isStopped = true }
        room.signal()
    }
}
