internal import Synchronization

/// The bytes of all requests' bodies that are in memory together, or may come to be.
final class BodyBudget: Sendable {
    private let taken = Mutex(0)

    private static let mostBytes = 512 << 20

    /// - Throws: `Problem` (503) if there is no room now.
    func take(_ bytes: Int) throws(Problem) {
        let isTaken = taken.withLock { taken in
            guard taken + bytes <= Self.mostBytes else { return false }
            taken += bytes
            return true
        }
        guard isTaken else { throw .unavailable("too much is being uploaded") }
    }

    func giveBack(_ bytes: Int) { taken.withLock { $0 -= bytes } }
}
