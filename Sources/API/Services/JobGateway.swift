internal import Contract
internal import Foundation
internal import Jobs
internal import Synchronization
internal import TenantryClient

/// Publishes jobs and waits for their answers, over one connection to the broker for all requests.
struct JobGateway: Sendable {
    let client: JobClient
    let database: DatabasePool

    /// A job to be sent.
    struct Order: Sendable {
        let kind: Kind
        let id: String
        let tenant: String?
        let body: [UInt8]
        let ifMatch: String?
        let traceparent: String?
        /// How long its sender waits for the answer.
        let waitSeconds: Int
    }

    /// What is known of a job when the time to wait is over.
    enum Outcome: Sendable {
        case answered(Answer)
        /// The broker has it, and no answer has come yet.
        case pending
    }

    /// So long may the broker take to confirm a job before it is away.
    private static let confirmSeconds = 5.0

    /// Keeps a row of the job, publishes it, and waits.
    ///
    /// - Throws: `Rejection` (`conflict`); `Problem` (503) if the broker does not take it.
    func send(_ order: Order, as caller: Caller) async throws -> Outcome {
        let principal = caller.principal
        try await database.run(for: caller.account) { database, _ in
            try JobRecord.begin(order.id, order.kind, of: principal, tenant: order.tenant, body: order.body, on: &database)
        }
        var request = JobRequest(
            kind: order.kind.name, body: order.body, tenant: order.tenant, id: order.id, traceparent: order.traceparent,
            credential: caller.credential)
        request.ifMatch = order.ifMatch
        request.isByHTTP = true
        return try await publish(request, order)
    }

    private enum Event: Sendable {
        case confirmed, waitedLongEnough, notConfirmed
        case ended(Result<Answer, ClientError>)
    }

    private func publish(_ request: JobRequest, _ order: Order) async throws -> Outcome {
        let (events, emit) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(8))
        let wait = Double(order.waitSeconds)
        let timeout = Duration.seconds(max(wait, Self.confirmSeconds))
        let sending = Task { [client] in
            do throws(ClientError) {
                let received = try await client.send(request, timeout: timeout) { emit.yield(.confirmed) }
                emit.yield(.ended(.success(received.answer)))
            } catch {
                emit.yield(.ended(.failure(error)))
            }
        }
        func timer(_ seconds: Double, _ event: Event) -> Task<Void, Never> {
            Task {
                // Its only error is the cancellation, which is looked at next.
                try? await Task.sleep(for: .seconds(seconds))
                if !Task.isCancelled { emit.yield(event) }
            }
        }
        let timers = [timer(wait, .waitedLongEnough), timer(Self.confirmSeconds, .notConfirmed)]
        defer {
            // An answer that comes later is in the job's row all the same.
            sending.cancel()
            for timer in timers { timer.cancel() }
        }
        var isConfirmed = false
        var isOver = false
        for await event in events {
            switch event {
            case .confirmed: isConfirmed = true
            case .waitedLongEnough: isOver = true
            case .notConfirmed where !isConfirmed: throw Problem.unavailable("the broker does not confirm the job")
            case .notConfirmed: break
            case .ended(.success(let answer)): return .answered(answer)
            case .ended(.failure(let error)):
                if isConfirmed, [.timeout, .connection, .closed].contains(error.kind) { return .pending }
                throw Problem.unavailable("the job cannot be handed over: \(error.message)")
            }
            if isOver, isConfirmed { return .pending }
        }
        throw CancellationError()
    }
}
