internal import Contract
internal import Foundation
internal import Jobs
internal import Logging
internal import Postgres
internal import Synchronization

/// A leader's duty on a thread and a connection of its own: however long a round takes, the other duties go on.
///
/// A worker that has lost the lead may still be at a round. A lease of the duty's own keeps the next leader from beginning before that has ended, and
/// what is not committed by the time this lease is over, too, is rolled back.
/// The process may end in the midst of a round: what is not committed is rolled back, and the next leader begins anew.
final class BackgroundDuty: Sendable {
    private let duty: LeaderDuty
    private let options: FleetOptions
    private let control: LaneControl
    private let leases: Leases
    private let logger: Logger
    private let isWanted = Atomic<Bool>(false)
    private let hasThread = Atomic<Bool>(false)

    init(_ duty: LeaderDuty, _ options: FleetOptions, _ control: LaneControl, _ leases: Leases, _ logger: Logger) {
        self.duty = duty
        self.leases = leases
        self.options = options
        self.control = control
        self.logger = logger
    }

    /// Whether a round may be under way.
    var isRunning: Bool { hasThread.load(ordering: .acquiring) }

    /// Starts it unless it runs. For the leader, at each of its turns.
    func goOn() {
        isWanted.store(true, ordering: .releasing)
        guard hasThread.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged else {
            return
        }
        let thread = Thread { [self] in
            run()
            hasThread.store(false, ordering: .releasing)
        }
        thread.name = "duty \(duty.name)"
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Begins no further round; one that is under way is finished.
    func end() {
        isWanted.store(false, ordering: .releasing)
    }

    private var goesOn: Bool { isWanted.load(ordering: .acquiring) && !control.isStopping }

    private func run() {
        // Where it could not be given back, the next leader's waits for its end.
        defer { leases.forget(leaseName) }
        var backoff = Backoff()
        while goesOn {
            do {
                var database = try Postgres.Connection(options.backgroundDatabase)
                backoff.reset()
                try rounds(on: &database)
                try leases.giveBack(leaseName, on: &database)
            } catch {
                logger.warning(
                    "a background duty's connection is lost, connecting anew",
                    metadata: [LogKey.duty: "\(duty.name)", LogKey.error: "\(error)"])
                control.sleep(seconds: backoff.nextSeconds())
            }
        }
    }

    private func rounds(on database: inout Postgres.Connection) throws {
        // No job can come of it: only duties on the leader's own thread ask for jobs.
        let round = Duty(name: duty.name, intervalSeconds: duty.intervalSeconds) { [duty] in _ = try duty.perform(&$0) }
        while goesOn {
            let next = SystemClock.monotonicSeconds() + duty.intervalSeconds
            // It is renewed with the others' leases, on the duties' own thread.
            if try leases.take(leaseName, on: &database) {
                database.fence = leases.fence(leaseName)
                try round.run(on: &database, logger)
                database.fence = nil
            }
            while goesOn, SystemClock.monotonicSeconds() < next {
                control.sleep(seconds: min(max(next - SystemClock.monotonicSeconds(), 0.01), 1))
            }
        }
    }

    private var leaseName: String { "duty \(duty.name)" }
}
