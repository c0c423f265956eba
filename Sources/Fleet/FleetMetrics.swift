internal import AMQP
internal import Contract
internal import CoreMetrics

/// The catalogue of what a worker measures, made once per lane. Base units; labels are bounded: kinds, endings, servers, never a tenant.
final class FleetMetrics: Sendable {
    enum Server: String, CaseIterable {
        case broker, database
    }

    private struct KindMetrics: Sendable {
        let endings: [FinishedJob.Ending: Counter]
        let long: Counter
        let jobSeconds: Recorder
        let queueSeconds: Recorder
        let batchJobs: Recorder
    }

    private let kinds: [Kind: KindMetrics]
    private let unknown: KindMetrics
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
        reconnectCounters = Dictionary(
            uniqueKeysWithValues: Server.allCases.map {
                ($0, Counter(label: "tenantry_reconnects_total", dimensions: [("server", $0.rawValue)]))
            })
    }

    func reconnects(_ server: Server) -> Counter { reconnectCounters[server]! }

    /// Notes jobs that go on apart, all of one kind.
    func wentApart(_ jobs: Int, of kind: Kind?) { (kind.flatMap { kinds[$0] } ?? unknown).long.increment(by: Int64(jobs)) }

    /// Notes a batch that is through, all of one kind.
    ///
    /// - Parameter began: when the batch was taken in hand, in monotonic seconds.
    func record(_ batch: [FinishedJob], _ endings: [FinishedJob.Ending: Int], began: Double) {
        guard let first = batch.first else { return }
        let metrics = first.kind.flatMap { kinds[$0] } ?? unknown
        let jobSeconds = SystemClock.monotonicSeconds() - began
        let takenAt = Double(SystemClock.nowMicroseconds()) / 1e6 - jobSeconds
        metrics.batchJobs.record(Double(batch.count))
        for job in batch {
            metrics.jobSeconds.record(jobSeconds)
            // The producer's clock counts whole seconds and may run ahead of ours.
            if let timestamp = job.delivery.timestamp { metrics.queueSeconds.record(max(0, takenAt - Double(timestamp))) }
        }
        for (ending, count) in endings { metrics.endings[ending]?.increment(by: Int64(count)) }
        tally.add(endings)
    }

    private static func make(kind: String) -> KindMetrics {
        KindMetrics(
            endings: Dictionary(
                uniqueKeysWithValues: FinishedJob.Ending.allCases.map {
                    ($0, Counter(label: "tenantry_jobs_total", dimensions: [("kind", kind), ("outcome", $0.rawValue)]))
                }),
            long: Counter(label: "tenantry_long_jobs_total", dimensions: [("kind", kind)]),
            jobSeconds: Recorder(label: "tenantry_job_seconds", dimensions: [("kind", kind)], aggregate: true),
            queueSeconds: Recorder(label: "tenantry_queue_seconds", dimensions: [("kind", kind)], aggregate: true),
            batchJobs: Recorder(label: "tenantry_batch_jobs", dimensions: [("kind", kind)], aggregate: true))
    }
}
