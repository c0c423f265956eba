internal import Contract
internal import Foundation
public import Jobs
public import Logging

/// One process's share of the fleet: its lanes and its steward, each on a thread of its own.
public final class Worker: Sendable {
    public let id: String
    /// What each lane is doing.
    public let health: LaneHealth
    /// Lanes that this worker runs, the one for unroutable jobs among them.
    public var laneCount: Int { plans.count }
    private let options: FleetOptions
    private let control = LaneControl()
    private let solitude = Solitude()
    private let plans: [LanePlan]
    private let duties: [LeaderDuty]
    private let confirmations: [Outbox.Confirmation]
    private let logger: Logger

    private struct LanePlan: Sendable {
        let name: String
        let queues: [String]
        let drainedFamily: Family?
        let makeHandlers: @Sendable () -> [any JobHandler]
    }

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
        plans =
            families.flatMap { Self.plans(for: $0, options) } + [
                LanePlan(name: "unroutable", queues: [Topology.unroutableQueue], drainedFamily: nil) { [] }
            ]
        health = LaneHealth(lanes: plans.map(\.name))
    }

    /// Starts the threads and returns when all have ended: after ``drain()`` or its task's cancellation, and soon after the drain's deadline
    /// at the latest.
    ///
    /// A server that neither answers nor goes away can hold a thread for as long as it likes. The process is not to wait for that: what
    /// such a lane has in hand is not acknowledged, and comes again.
    public func run() async {
        let tally = WorkerTally()
        let (endings, ended) = AsyncStream<Ending>.makeStream()
        for plan in plans {
            Self.start(plan.name, ended) { [self] in
                Lane(
                    name: plan.name, queues: plan.queues, drainedFamily: plan.drainedFamily, handlers: plan.makeHandlers(),
                    options: options, control: control, solitude: solitude, health: health, metrics: FleetMetrics(tally: tally),
                    logger: logger
                ).run()
            }
        }
        Self.start("steward", ended) { [self] in
            Steward(
                options: options, control: control, logger: logger, workerID: id,
                families: options.lanes.keys.map(\.rawValue).sorted(), laneCount: plans.count, tally: tally, duties: duties,
                confirmations: confirmations
            ).run()
        }
        let watch = Task { [control] in
            while !control.isOverdue(bySeconds: Self.graceSeconds) { try await Task.sleep(for: .milliseconds(100)) }
            ended.yield(.outOfTime)
        }
        defer { watch.cancel() }
        // The waiting itself is not cancelled: lanes that were told to stop are given their time.
        let waiting = Task { [threads = plans.count + 1] in
            var running = threads
            for await ending in endings {
                guard ending == .thread else { return false }
                running -= 1
                if running == 0 { break }
            }
            return true
        }
        let haveEnded = await withTaskCancellationHandler {
            await waiting.value
        } onCancel: {
            drain()
        }
        if !haveEnded { logger.warning("the drain's time is over; what is still in hand goes back to the broker") }
    }

    /// What ``run()`` waits for.
    private enum Ending {
        case thread, outOfTime
    }

    /// From the deadline of a drain on, lanes give up by themselves; so long for that.
    private static let graceSeconds = 1.0

    /// Asks the lanes to take no further jobs and to finish what is in hand. ``run()`` returns when they have.
    public func drain() {
        control.stop(withinSeconds: options.drainSeconds)
    }

    private static func plans(for family: JobFamily, _ options: FleetOptions) -> [LanePlan] {
        guard let lanes = options.lanes[family.family], lanes > 0 else { return [] }
        let partitions = options.partitions[family.family] ?? 1
        let queues = TopologyDeclaration.queues(of: family.family, partitions: partitions)
        return (0..<lanes).map { lane in
            // Partitions are dealt out to the lanes; a family in one queue is shared by all of them.
            var own =
                partitions > 1 ? queues.enumerated().filter { $0.offset % lanes == lane % partitions }.map(\.element) : queues
            if partitions > 1, lane == 0 { own.append(family.family.queue) }
            return LanePlan(
                name: "\(family.family.rawValue)-\(lane)", queues: own, drainedFamily: lane == 0 ? family.family : nil,
                makeHandlers: family.makeHandlers)
        }
    }

    private static func start(
        _ name: String, _ ended: AsyncStream<Ending>.Continuation, _ body: @escaping @Sendable () -> Void
    ) {
        let thread = Thread {
            body()
            ended.yield(.thread)
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }
}
