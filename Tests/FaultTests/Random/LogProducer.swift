internal import AMQP
internal import Contract
internal import Foundation
internal import Synchronization
internal import TestSupport

/// Sends its part of a ``Traffic`` at a steady pace, over a connection and on a thread of its own, and by its own clock. What it is not sure
/// of it sends again.
final class LogProducer: Sendable {
    private let jobs: [Traffic.Job]
    private let traffic: Traffic
    private let part: Int
    private let skewSeconds: Int64
    private let url: BrokerURL
    private let pauseMilliseconds: UInt32
    private let progress = Mutex(Progress())

    struct Progress {
        /// How often a chunk was sent once more.
        var doubts = 0
        var isOver = false
        var stops = false
    }

    private static let chunk = 25
    /// With each of so many chunks goes a job whose message is of a time three days ahead.
    private static let chunksPerJobAhead = 8
    /// So long is the broker given for its confirms before they are in doubt.
    private static let patienceSeconds = 3.0

    /// - Parameters:
    ///   - skewSeconds: how far its clock is from the right time: within a day ahead, and within the billing period.
    ///   - seconds: about how long it takes if nothing happens.
    init(_ traffic: Traffic, part: Int, of parts: Int, skewSeconds: Int64, seconds: Double, broker: String) throws {
        self.traffic = traffic
        self.part = part
        self.skewSeconds = skewSeconds
        jobs = traffic.jobs.indices.filter { $0 % parts == part }.map { traffic.jobs[$0] }
        pauseMilliseconds = UInt32(seconds * 1_000 / Double(max(1, jobs.count / Self.chunk)))
        url = try BrokerURL(broker)
        Thread.detachNewThread { [self] in
            run()
            progress.withLock { $0.isOver = true }
        }
    }

    var isOver: Bool { progress.withLock { $0.isOver } }
    var doubts: Int { progress.withLock { $0.doubts } }

    /// Ends it, finished or not.
    func stop() { progress.withLock { $0.stops = true } }

    /// The jobs that must be rejected.
    var ahead: [String] {
        stride(from: 0, to: jobs.count, by: Self.chunk * Self.chunksPerJobAhead).map { "ahead-\(part)-\($0)" }
    }

    private func run() {
        var connection: AMQP.Connection?
        for start in stride(from: 0, to: jobs.count, by: Self.chunk) {
            let chunk = jobs[start..<min(start + Self.chunk, jobs.count)]
            while !progress.withLock({ $0.stops }) {
                do throws(AMQPError) {
                    if connection == nil {
                        connection = try AMQP.Connection(url, name: "producer", heartbeatSeconds: 2)
                        try connection!.enableConfirms()
                    }
                    for job in chunk { try send(job, at: skewSeconds, on: &connection!) }
                    if start.isMultiple(of: Self.chunk * Self.chunksPerJobAhead) {
                        let first = chunk.first!
                        let late = Traffic.Job(
                            id: "ahead-\(part)-\(start)", tenant: first.tenant, message: -first.message - 1, conversation: 0,
                            user: 0,
                            tokens: 1)
                        try send(late, at: 3 * 86_400, on: &connection!)
                    }
                    let outcome = try connection!.awaitConfirms(timeoutSeconds: Self.patienceSeconds)
                    if outcome.isSuccess { break }
                } catch {
                    connection = nil
                }
                progress.withLock { $0.doubts += 1 }
                usleep(200_000)
            }
            usleep(pauseMilliseconds * 1_000)
        }
        connection?.close()
    }

    private func send(_ job: Traffic.Job, at offset: Int64, on connection: inout AMQP.Connection) throws(AMQPError) {
        let seconds = Int64(Date().timeIntervalSince1970) + offset
        let tenant = traffic.tenants[job.tenant]
        var properties = Properties(contentType: "application/json")
        properties.type = "conversation.log"
        properties.messageID = job.id
        properties.replyTo = Traffic.answers(of: tenant.account)
        properties.timestamp = skewSeconds < 0 ? 0 : UInt64(seconds) * 1_000
        properties.headers = ["authorization": .text("Bearer \(tenant.token)"), "tenant": .text(tenant.slug)]
        _ = try connection.publish(
            exchange: Topology.jobsExchange, routingKey: "conversation.log", properties: properties,
            body: job.body(sentAt: RFC3339.text(seconds * 1_000_000)), mandatory: true)
    }
}
