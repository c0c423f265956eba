internal import Synchronization

/// Sees to it that a job which may be the one that kills its worker is the only one in hand in this process: when the worker dies then,
/// nobody else can have done it, and nobody else's beginning is left without an end.
final class Solitude: Sendable {
    private struct State {
        var working = 0
        var isTaken = false
        var waiting: Set<String> = []
    }

    private let state = Mutex(State())

    /// Takes a place beside others, or the whole room. Whoever waits for the room keeps newcomers out of it.
    ///
    /// - Returns: false if that has to wait: ask again, or ``giveUp(_:)``.
    func enter(_ lane: String, alone: Bool) -> Bool {
        state.withLock { state in
            guard !state.isTaken, alone ? state.working == 0 : state.waiting.isEmpty else {
                if alone { state.waiting.insert(lane) }
                return false
            }
            if alone {
                state.isTaken = true
                state.waiting.remove(lane)
            } else {
                state.working += 1
            }
            return true
        }
    }

    func leave(alone: Bool) {
        state.withLock { state in
            if alone { state.isTaken = false } else { state.working -= 1 }
        }
    }

    func giveUp(_ lane: String) {
        state.withLock { _ = $0.waiting.remove(lane) }
    }
}
