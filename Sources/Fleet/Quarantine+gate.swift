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

        /// Lets whoever holds it work. Given back once, by whichever thread is first.
        final class Pass: Sendable {
            private let gate: Gate
            private let alone: Bool
            private let isGivenBack = Atomic<Bool>(false)

            fileprivate init(_ gate: Gate, alone: Bool) {
                self.gate = gate
                self.alone = alone
            }

            func leave() {
                if !isGivenBack.exchange(true, ordering: .acquiringAndReleasing) { gate.leave(alone: alone) }
            }
        }

        /// Enters beside others, or alone. While somebody waits to be alone, nobody else is let in.
        ///
        /// - Returns: nil if that has to wait: ask again, or ``giveUp(_:)``.
        func enter(_ lane: String, alone: Bool) -> Pass? {
            let isIn = state.withLock { state in
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
            return isIn ? Pass(self, alone: alone) : nil
        }

        private func leave(alone: Bool) {
            state.withLock { state in
                if alone { state.isTaken = false } else { state.working -= 1 }
            }
        }

        func giveUp(_ lane: String) {
            state.withLock { _ = $0.waiting.remove(lane) }
        }
    }
}
