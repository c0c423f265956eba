internal import Synchronization

extension Quarantine {
    /// Lets lanes work side by side, or one of them alone. One for all lanes of a worker.
    final class Gate: Sendable {
        private struct State {
            var working = 0
            var isTaken = false
            /// Lanes that want to be alone.
            var waiting: Set<String> = []
        }

        private let state = Mutex(State())

        /// Enters beside others, or alone. While somebody waits to be alone, nobody else is let in.
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
}
