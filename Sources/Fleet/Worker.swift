internal import Contract
internal import Foundation
public import Jobs
public import Logging

/// One process's share of the fleet: its lanes, and what is done beside them, each on a thread of its own.
public final class Worker: Sendable {
    public let id: String
    /// What each lane is doing.
    public let health: LaneHealth
    /// Lanes that this worker runs, the one for unroutable jobs among them.
    public var laneCount: Int { plans.count }
    private let options: FleetOptions
    private let control = LaneControl()
    private let plans: [LanePlan]
    private let duties: [LeaderDuty]
    private let confirmations: [Outbox.Confirmation]
    private let logger: Logger

    /// - Parameters:
    ///   - families: those that this worker serves, among them every one that `options.lanes` names.
    ///   - duties: what the worker does beside the outbox while it leads the fleet.
    public init(
        _ options: FleetOptions, families: [JobFamily], duties: [LeaderDuty], confirmations: [Outbox.Confirmation] = [],
        logger: Logger
    ) {
        self.confirmations = confirmations
        self.options = options
        self.duties = duties
        self.logger = logger
        id = "\(Host.name)-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        plans = families.flatMap { LanePlan.plans(for: $0, options) } + LanePlan.control(families, options) + [.unroutable]
        health = LaneHealth(lanes: plans.map(\.name), stuckSeconds: options.jobSeconds * Self.mostJobTimes)
    }

    /// Starts the threads and returns when all have ended: after ``drain()`` or its task's cancellation, and soon after the drain's deadline
    /// at the latest.
    ///
    /// A server that neither answers nor goes away can hold a thread for as long as it likes. The process is not to wait for that: what
    /// such a lane has in hand is not acknowledged, and comes again.
    ///
    /// - Throws: what a thread could not go on for; all others have drained then.
    public func run() async throws(WorkerFailure) {
        let (ends, ended) = AsyncStream<ThreadEnd>.makeStream()
        startThreads(ended)
        let watch = Task { [control] in
            while !control.isOverdue(bySeconds: Self.graceSeconds) { try await Task.sleep(for: .milliseconds(100)) }
            ended.yield(.outOfTime)
        }
        defer { watch.cancel() }
        // The waiting itself is not cancelled: lanes that were told to stop are given their time.
        let waiting = Task { await wait(for: ends) }
        let failure = await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            drain()
        }
        if let failure { throw failure }
    }

    /// What ``run()`` waits for.
    private enum ThreadEnd: Sendable {
        case ended(WorkerFailure?)
        case outOfTime
    }

    /// Waits for the end of all threads, or of the time for it. The first failure drains the others.
    private func wait(for ends: AsyncStream<ThreadEnd>) async -> WorkerFailure? {
        var running = plans.count + 1
        var first: WorkerFailure?
        for await end in ends {
            guard case .ended(let failure) = end else {
                logger.warning("the drain's time is over; what is still in hand goes back to the broker")
                break
            }
            if let failure {
                first = first ?? failure
                drain()
            }
            running -= 1
            if running == 0 { break }
        }
        return first
    }

    /// A batch in hand goes apart after the longest time of a job. If it has not after so many of these times, it makes no progress.
    private static let mostJobTimes = 3.0

    /// From the deadline of a drain on, lanes give up by themselves; so long for that.
    private static let graceSeconds = 1.5

    /// Asks the lanes to take no further jobs and to finish what is in hand. ``run()`` returns when they have.
    public func drain() {
        health.drain()
        control.stop(withinSeconds: options.drainSeconds)
    }

    private func startThreads(_ ended: AsyncStream<ThreadEnd>.Continuation) {
        let environment = LaneEnvironment(
            options: options, control: control, topology: TopologyOwner(options), gate: Quarantine.Gate(), longJobs: LongJobs(),
            health: health,
            tally: WorkerTally(), logger: logger)
        ServerChecks(environment).start()
        for plan in plans {
            Self.start(plan.name, ended) { Lane(plan, environment).run() }
        }
        Self.start("duties", ended) { [self] in
            let heartbeat = WorkerHeartbeat(
                workerID: id, families: options.lanes.keys.map(\.rawValue).sorted(), laneCount: plans.count,
                tally: environment.tally, health: health)
            return DutyRunner(
                options, control: control, heartbeat: heartbeat, duties: duties, confirmations: confirmations, logger: logger
            ).run()
        }
    }

    private static func start(
        _ name: String, _ ended: AsyncStream<ThreadEnd>.Continuation, _ body: @escaping @Sendable () -> WorkerFailure?
    ) {
        let thread = Thread { ended.yield(.ended(body())) }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }
}
