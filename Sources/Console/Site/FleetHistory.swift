internal import API
internal import Contract
internal import Jobs
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// What the fleet did in the last half hour, seen every few seconds by this process, for plots.
package final class FleetHistory: Service {
    struct Sample: Sendable {
        /// Microseconds since 1970.
        let at: Int64
        let jobsPerSecond: Double
        let ready: Double
        let inHand: Double
        let oldestSeconds: Double
    }

    private static let pauseSeconds = 10.0
    private static let most = 180

    private let api: LocalAPI
    private let samples = Mutex<[Sample]>([])
    private let counted = Mutex<Int64?>(nil)

    init(_ api: LocalAPI) {
        self.api = api
    }

    /// Oldest first.
    var all: [Sample] { samples.withLock { $0 } }

    /// What the workers have done since they started, as it was seen last: as long as it is the same, no job has changed anything. nil: nobody knows.
    var activity: Int64? { counted.withLock { $0 } }

    /// Looks until the service group shuts down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while !Task.isCancelled {
                do {
                    try await look()
                } catch {
                    counted.withLock { $0 = nil }
                    // A server that is away leaves a gap in the plots, and is told of elsewhere.
                    api.logger.debug("the fleet could not be looked at", metadata: ["error": "\(error)"])
                }
                // Its only error is the cancellation, which is looked at next.
                try? await Task.sleep(for: .seconds(Self.pauseSeconds))
            }
        }
    }

    private func look() async throws {
        let workers = try await api.database { try WorkerStatus.list(on: &$0) }
        let queues = try await api.platform.queues()
        counted.withLock { counted in
            counted = workers.reduce(Int64(workers.count)) { $0 &+ $1.succeeded &+ $1.rejected &+ $1.retried &+ $1.deferred }
        }
        let sample = Sample(
            at: SystemClock.nowMicroseconds(), jobsPerSecond: workers.reduce(0) { $0 + $1.jobsPerSecond },
            ready: Double(queues.filter { QueueName($0.name).isWork }.reduce(0) { $0 + $1.messages }),
            inHand: Double(workers.reduce(0) { $0 + $1.inHand }), oldestSeconds: workers.map(\.oldestSeconds).max() ?? 0)
        samples.withLock { samples in
            samples.append(sample)
            if samples.count > Self.most { samples.removeFirst(samples.count - Self.most) }
        }
    }
}

/// What a queue of the fleet is for, by its name.
struct QueueName {
    let name: String

    init(_ name: String) {
        self.name = name
    }

    /// Jobs wait in it to be done.
    var isWork: Bool { !isLadder && name != Topology.deadQueue && name != Topology.unroutableQueue }
    /// Jobs wait in it for their next attempt.
    var isLadder: Bool { name.hasPrefix(Topology.retryExchange) }

    var purpose: String {
        if name == Topology.deadQueue { return "given up, to be looked at" }
        if name == Topology.unroutableQueue { return "of no kind that there is" }
        guard isLadder else { return name == Topology.controlQueue ? "to be done before others" : "to be done" }
        let step = name.split(separator: ".").last.flatMap { Double($0) }.map { "waits \(Format.seconds($0 / 1_000))" } ?? "waits"
        return "\(step) for its next attempt"
    }
}
