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
    /// With each of so many chunks go two jobs that must be rejected.
    private static let chunksPerRejected = 8
    /// What the database is made to refuse as a message.
    static let refusedContent = "refused"
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

    /// The ids of the jobs that must be rejected as `invalid_payload`.
    var rejected: [String] {
        stride(from: 0, to: jobs.count, by: Self.chunk * Self.chunksPerRejected)
            .flatMap { ["ahead-\(part)-\($0)", "refused-\(part)-\($0)"] }
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
                    if start.isMultiple(of: Self.chunk * Self.chunksPerRejected) {
                        try sendRejected(start, beside: chunk.first!, on: &connection!)
                    }
                    for job in chunk { try send(job, at: skewSeconds, on: &connection!) }
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

    /// One whose message is of a time three days ahead, which is seen before anything is written, and one that the database refuses in the middle of
    /// the transaction of its whole batch.
    private func sendRejected(
        _ number: Int, beside job: Traffic.Job, on connection: inout AMQP.Connection
    ) throws(AMQPError) {
        func rejected(_ what: String, _ message: Int, _ content: String) -> Traffic.Job {
            Traffic.Job(
                id: "\(what)-\(part)-\(number)", tenant: job.tenant, message: message, conversation: 0, user: 0, tokens: 1,
                content: content)
        }
        try send(rejected("ahead", -job.message - 1, "hello"), at: 3 * 86_400, on: &connection)
        try send(rejected("refused", -job.message - 1, Self.refusedContent), at: skewSeconds, on: &connection)
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
