internal import AMQP
internal import Contract
internal import CoreMetrics

/// The catalogue of what a worker measures, made once per lane. Base units; labels are bounded: kinds, endings, servers, never a tenant.
final class FleetMetrics: Sendable {
    enum Server: String, CaseIterable {
        case broker, database
    }

    /// Distributions have many series each, so there is one for a family, not for a kind.
    private struct FamilyMetrics: Sendable {
        let long: Counter
        let jobSeconds: Recorder
        let queueSeconds: Recorder
    }

    private let batchJobs = Recorder(label: "tenantry_batch_jobs", aggregate: true)
    private let families: [Family: FamilyMetrics]
    private let unknownFamily: FamilyMetrics
    private let kinds: [Kind: [FinishedJob.Ending: Counter]]
    private let unknown: [FinishedJob.Ending: Counter]
    private let reconnectCounters: [Server: Counter]
    /// Answers and events that nobody got.
    let dropped: [BestEffortPublisher.DropReason: Counter]
    let renewed = Counter(label: "tenantry_renewed_jobs_total")
    private let tally: WorkerTally

    init(tally: WorkerTally) {
        self.tally = tally
        dropped = Dictionary(
            uniqueKeysWithValues: BestEffortPublisher.DropReason.allCases.map {
                ($0, Counter(label: "tenantry_answers_dropped_total", dimensions: [("reason", $0.rawValue)]))
            })
        kinds = Dictionary(uniqueKeysWithValues: Kind.all.map { ($0, Self.make(kind: $0.name)) })
        unknown = Self.make(kind: "unknown")
        families = Dictionary(uniqueKeysWithValues: Family.allCases.map { ($0, Self.make(family: $0.rawValue)) })
        unknownFamily = Self.make(family: "unknown")
        reconnectCounters = Dictionary(
            uniqueKeysWithValues: Server.allCases.map {
                ($0, Counter(label: "tenantry_reconnects_total", dimensions: [("server", $0.rawValue)]))
            })
    }

    func reconnects(_ server: Server) -> Counter { reconnectCounters[server]! }

    /// Notes jobs that go on apart, all of one kind.
    func wentApart(_ jobs: Int, of kind: Kind?) { family(of: kind).long.increment(by: Int64(jobs)) }

    /// Notes a batch that is through, all of one kind.
    ///
    /// - Parameter began: when the batch was taken in hand, in monotonic seconds.
    func record(_ batch: [FinishedJob], _ endings: [FinishedJob.Ending: Int], began: Double) {
        guard let first = batch.first else { return }
        let metrics = family(of: first.kind)
        let jobSeconds = SystemClock.monotonicSeconds() - began
        let takenAt = Double(SystemClock.nowMicroseconds()) / 1e6 - jobSeconds
        batchJobs.record(Double(batch.count))
        for job in batch {
            metrics.jobSeconds.record(jobSeconds)
            // The producer's clock counts whole seconds and may run ahead of ours.
            if let timestamp = job.delivery.timestamp { metrics.queueSeconds.record(max(0, takenAt - Double(timestamp))) }
        }
        let counters = first.kind.flatMap { kinds[$0] } ?? unknown
        for (ending, count) in endings { counters[ending]?.increment(by: Int64(count)) }
        tally.add(endings)
    }

    private func family(of kind: Kind?) -> FamilyMetrics { kind.flatMap { families[$0.family] } ?? unknownFamily }

    private static func make(kind: String) -> [FinishedJob.Ending: Counter] {
        Dictionary(
            uniqueKeysWithValues: FinishedJob.Ending.allCases.map {
                ($0, Counter(label: "tenantry_jobs_total", dimensions: [("kind", kind), ("outcome", $0.rawValue)]))
            })
    }

    private static func make(family: String) -> FamilyMetrics {
        let dimensions = [("family", family)]
        return FamilyMetrics(
            long: Counter(label: "tenantry_long_jobs_total", dimensions: dimensions),
            jobSeconds: Recorder(label: "tenantry_job_seconds", dimensions: dimensions, aggregate: true),
            queueSeconds: Recorder(label: "tenantry_queue_seconds", dimensions: dimensions, aggregate: true))
    }
}
