internal import NIOCore
internal import Synchronization

/// The connections of a server that are open. When there are too many, the one that has waited longest for its next request gives way: whoever
/// opens connections and says nothing is not to keep out those who ask.
final class OpenConnections: Sendable {
    private struct State {
        var nextID: UInt64 = 0
        /// By when they last had nothing to do, oldest first.
        var waiting: [UInt64: any Channel] = [:]
        var count = 0
    }

    private let most: Int
    private let state = Mutex(State())

    init(most: Int) {
        self.most = most
    }

    /// Notes a new connection, and closes the one that has waited longest if there is one too many.
    func open(_ channel: any Channel) -> UInt64 {
        let (id, oldest) = state.withLock { state -> (UInt64, (any Channel)?) in
            state.count += 1
            let id = state.nextID
            state.nextID += 1
            if state.count > most {
                // Where all are at work, it is the new one that goes.
                guard let first = state.waiting.keys.min() else { return (id, channel) }
                let oldest = state.waiting.removeValue(forKey: first)
                state.waiting[id] = channel
                return (id, oldest)
            }
            state.waiting[id] = channel
            return (id, nil)
        }
        oldest?.close(promise: nil)
        return id
    }

    /// The connection has a request to answer.
    func works(_ id: UInt64) {
        state.withLock { _ = $0.waiting.removeValue(forKey: id) }
    }

    /// The connection waits for its next request.
    ///
    /// - Returns: its name from now on.
    func waits(_ channel: any Channel) -> UInt64 {
        state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            state.waiting[id] = channel
            return id
        }
    }

    func close(_ id: UInt64) {
        state.withLock { state in
            state.count -= 1
            state.waiting.removeValue(forKey: id)
        }
    }
}
