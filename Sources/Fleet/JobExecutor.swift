internal import AMQP
internal import Contract
internal import Foundation
internal import Postgres
internal import Synchronization

/// Takes a lane's batches through the database, one at a time, on a thread and a connection of its own.
///
/// Meanwhile the lane keeps its broker's connections alive. If a batch takes long, the lane goes on with another executor and hears of this one
/// later.
final class JobExecutor: Sendable {
    enum Report: Sendable {
        /// It is connected and has nothing in hand.
        case idle
        /// A part of the batch is committed. ``published()`` lets the executor go on.
        case finished([FinishedJob], began: Double)
        /// The batch in hand was dropped, as asked for.
        case dropped
        /// So many of the messages that were to be kept are, from the first on.
        case kept(Int)
        /// Its thread ends.
        case ended(Interruption)
    }

    /// What follows on a part that was reported.
    enum Sequel {
        case goOn, drop, end
    }

    private enum Order: Sendable {
        case batch([Delivery])
        case sequel(Sequel)
        case keep([PostCommitMessages.Required])
    }

    /// How far it is: written by the executor's thread, looked at by the lane's.
    struct Progress {
        /// Monotonic seconds; nil while nothing is worked at: in a wait for its turn or for the database.
        var workingSince: Double?
        /// Whose job it is; nil for several jobs.
        var account: String?
        /// The part's way through the quarantine's gate.
        var pass: Quarantine.Gate.Pass?
        /// Whether the lane goes on with another executor.
        var isApart: Bool
        var place: LongJobs.Place?
        /// Whether the single job in hand takes long and there is no room for it.
        var isUnwelcome = false
        var isToEnd = false
    }

    /// The bound of each of its transactions.
    let deadline: TransactionDeadline
    private let orders = Mailbox<Order>()
    private let reports = Mailbox<Report>()
    private let progress: Mutex<Progress>
    private let wakeUp: WakeUp

    /// Starts the thread. The first report is ``Report/idle``, or the end.
    ///
    /// - Parameters:
    ///   - isApart: whether its jobs are apart from the beginning. If not, it speaks for its lane's health.
    ///   - wakeUp: sent with each report.
    init(_ plan: LanePlan, _ environment: LaneEnvironment, _ metrics: FleetMetrics, isApart: Bool, wakeUp: WakeUp) {
        self.wakeUp = wakeUp
        progress = Mutex(Progress(isApart: isApart))
        deadline = TransactionDeadline(seconds: environment.options.jobSeconds * environment.options.mostJobTimes)
        let thread = Thread { [self] in run(BatchProcessor(plan, environment, metrics, self)) }
        thread.name = "\(plan.name) jobs"
        thread.stackSize = 8 << 20
        thread.start()
    }

    // MARK: For the lane's thread

    /// Hands over a batch of one kind. Only after ``Report/idle``.
    func work(_ batch: [Delivery]) { orders.put(.batch(batch)) }

    /// What was reported as finished is published and acknowledged.
    func published() { orders.put(.sequel(.goOn)) }

    /// Keeps in the database what the broker does not take. Only after ``Report/idle`` or ``Report/finished(_:began:)``; the answer is
    /// ``Report/kept(_:)``, and then it is as it was before.
    func keep(_ messages: [PostCommitMessages.Required]) { orders.put(.keep(messages)) }

    /// Drops what is left of the batch, since the broker's connection that it came by is lost. The answer is ``Report/dropped``.
    func drop() { orders.put(.sequel(.drop)) }

    /// Ends the thread once the part in hand is through. What that has to say goes unheard.
    func end() {
        progress.withLock { $0.isToEnd = true }
        orders.put(.sequel(.end))
    }

    func nextReport() -> Report? { reports.takeIfAny() }

    /// Lets a part that has taken longer than `seconds` go on apart: others may work beside it, and it keeps its place until the thread ends.
    /// If there is no room, a single job is cancelled, to come again later, and several go on as they are.
    ///
    /// - Returns: whether it goes on apart.
    func goApart(after seconds: Double, _ longJobs: LongJobs, hasRoom: Bool) -> Bool {
        progress.withLock { progress in
            guard let since = progress.workingSince, SystemClock.monotonicSeconds() - since > seconds else { return false }
            if hasRoom, let place = longJobs.enter(account: progress.account) {
                progress.place = place
                progress.isApart = true
                progress.pass?.leave()
                return true
            }
            // Under the lock, so that it cannot meet the next part.
            progress.isUnwelcome = progress.account != nil
            if progress.isUnwelcome { deadline.expire() }
            return false
        }
    }

    /// Lets others that want to be alone no longer wait for a part that has taken longer than `seconds`.
    func leaveGate(after seconds: Double) {
        progress.withLock { progress in
            if let since = progress.workingSince, SystemClock.monotonicSeconds() - since > seconds { progress.pass?.leave() }
        }
    }

    // MARK: For the executor's own thread

    func update(_ change: (inout Progress) -> Void) { progress.withLock { change(&$0) } }
    var isApart: Bool { progress.withLock { $0.isApart } }
    var isUnwelcome: Bool { progress.withLock { $0.isUnwelcome } }
    var isToEnd: Bool { progress.withLock { $0.isToEnd } }

    /// Reports a part, and waits until the lane has published it.
    func publish(
        _ finished: [FinishedJob], began: Double, _ processor: BatchProcessor, _ database: inout Postgres.Connection
    ) throws(Interruption) -> Sequel {
        report(.finished(finished, began: began))
        while true {
            switch orders.take() {
            case .sequel(let sequel): return sequel
            case .keep(let messages): report(.kept(try processor.keep(messages, &database)))
            case .batch: preconditionFailure("\(self) has a batch in hand")
            }
        }
    }

    private func report(_ report: Report) {
        reports.put(report)
        wakeUp.send()
    }

    private func run(_ processor: BatchProcessor) {
        do throws(Interruption) {
            try serve(processor)
            report(.ended(.stopped))
        } catch {
            report(.ended(error))
        }
    }

    private func serve(_ processor: BatchProcessor) throws(Interruption) {
        // The place is given back before the end is reported.
        defer { progress.withLock { $0.place = nil } }
        var database = try processor.connect(hasBatch: false)
        report(.idle)
        while true {
            let sequel: Sequel
            switch orders.take() {
            case .batch(let batch): sequel = try processor.take(batch, &database)
            case .sequel(let order): sequel = order
            case .keep(let messages):
                report(.kept(try processor.keep(messages, &database)))
                continue
            }
            switch sequel {
            case .goOn: report(.idle)
            case .drop: report(.dropped)
            case .end: return
            }
            // A backend never forgets a schema that it worked in; a fresh one starts small. Between batches only: a job that goes through
            // many schemas in parts keeps its connection to its end.
            if processor.isWorn(database) { database = try processor.connect(hasBatch: false) }
        }
    }
}
