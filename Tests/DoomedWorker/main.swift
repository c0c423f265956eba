internal import AMQP
internal import Contract
internal import Dispatch
internal import Families
internal import Fleet
internal import Foundation
internal import Jobs
internal import Logging
internal import Postgres

// A worker for tests: the real families, and jobs that kill it or hold it up, as their ids say.
//
//   doom-before-…   killed before the effects
//   doom-after-…    killed between the effects and their commit
//   slow-…          takes longer than a killer takes to kill

private final class DoomedHandler: JobHandler {
    private let real: any JobHandler
    var kind: Kind { real.kind }
    var batchLimit: Int { real.batchLimit }
    var runsApart: Bool { real.runsApart }

    init(_ real: any JobHandler) {
        self.real = real
    }

    func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome] {
        if jobs.contains(where: { $0.id.hasPrefix("doom-before-") }) { die() }
        if jobs.contains(where: { $0.id.hasPrefix("slow-") }) { usleep(700_000) }
        let outcomes = try real.handle(jobs, on: &database)
        if jobs.contains(where: { $0.id.hasPrefix("doom-after-") }) { die() }
        return outcomes
    }

    private func die() -> Never {
        // So that the other lanes have something in hand.
        usleep(300_000)
        kill(getpid(), SIGKILL)
        fatalError("survived SIGKILL")
    }
}

private func drainOnTermination(_ worker: Worker) -> any DispatchSourceSignal {
    signal(SIGTERM, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
    source.setEventHandler { worker.drain() }
    source.resume()
    return source
}

private func setting(_ name: String) -> String {
    guard let text = ProcessInfo.processInfo.environment[name] else { fatalError("\(name) is not set") }
    return text
}

var options = FleetOptions(
    broker: try BrokerURL(setting("TENANTRY_AMQP_URL")), database: ConnectionOptions(url: setting("TENANTRY_WORKER_DATABASE_URL"))
)
options.ladder = RetryLadder(
    delaysMilliseconds: setting("TENANTRY_RETRY_DELAYS_MS").split(separator: ",").compactMap { Int64($0) })
var logger = Logger(label: "doomed", factory: { StreamLogHandler.standardError(label: $0) })
logger.logLevel = .warning

let served = Families.Options(batchLimit: options.batchLimit, allowsLoopbackWebhooks: true)
let families = Families.all(served).map { family in
    JobFamily(family.family) { family.makeHandlers().map { DoomedHandler($0) } }
}
let worker = Worker(options, families: families, duties: [], logger: logger)
let drain = drainOnTermination(worker)
try await worker.run()
