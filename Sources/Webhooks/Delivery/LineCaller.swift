internal import AsyncHTTPClient
internal import Contract
internal import Jobs
internal import NIOCore
internal import Postgres

/// Makes the attempts of one line, one after the other.
struct LineCaller {
    /// What all lines share.
    struct Shared: Sendable {
        let rule: DestinationRule
        let resolver: AddressResolver
        let trust: Destination.Trust
        let attemptSeconds: Double
        /// As in ``DeliveryStore``.
        let ahead: @Sendable () -> Double
    }

    private let shared: Shared
    /// Kept between attempts as long as the host's address stays the same.
    private var destination: Destination?
    private var generator = SystemRandomNumberGenerator()

    init(_ shared: Shared) {
        self.shared = shared
    }

    /// Calls the endpoint with an event, once.
    ///
    /// - Throws: `CancellationError`: nothing is known of this attempt, and it is none.
    mutating func attempt(_ due: DueDelivery, at endpoint: Endpoint) async throws(CancellationError) -> AttemptResult {
        let start = ContinuousClock.now
        let at = Timestamp(
            microsecondsSince1970: Timestamp.now().microsecondsSince1970 + Int64(shared.ahead() * 1_000_000))
        var status: Int?
        var retryAfter: Double?
        var failure: String?
        do {
            let answer = try await call(endpoint, due.event, at: at.microsecondsSince1970 / 1_000_000)
            status = answer.status
            failure = Self.failure(of: answer.status)
            let now = Double(at.microsecondsSince1970) / 1_000_000
            if failure != nil { retryAfter = RetryAfter.seconds(answer.retryAfter, now: now) }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            failure = describe(error)
        }
        let attempt = due.attempt + 1
        let duration = start.duration(to: .now)
        return AttemptResult(
            delivery: due.id, attempt: attempt, at: at,
            durationMilliseconds: duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000,
            status: status, error: failure,
            wait: failure == nil ? nil : RetrySchedule.wait(after: attempt, retryAfter: retryAfter, using: &generator))
    }

    func end() async {
        await destination?.shutdown()
    }

    private mutating func call(
        _ endpoint: Endpoint, _ event: WebhookEvent, at seconds: Int64
    ) async throws -> (status: Int, retryAfter: String?) {
        guard let url = WebhookURL(endpoint.url) else { throw DestinationRule.Refusal(description: "its URL is none") }
        let deadline = NIODeadline.now() + .milliseconds(Int64(shared.attemptSeconds * 1_000))
        let addresses = try await shared.resolver.addresses(of: url.host, deadline: deadline)
        let address = try shared.rule.choose(addresses, for: url)
        if destination?.host != url.host || destination?.address != address {
            await destination?.shutdown()
            destination = Destination(
                host: url.host, address: address, trust: shared.trust, attemptSeconds: shared.attemptSeconds)
        }
        let body = event.body
        let signatures = endpoint.secrets.map { $0.signature(id: event.id, seconds: seconds, body: body) }
        let headers = event.headers(at: seconds) + [("webhook-signature", signatures.joined(separator: " "))]
        return try await destination!.post(url.text, headers, body: body, deadline: deadline)
    }

    private static func failure(of status: Int) -> String? {
        switch status {
        case 200..<300: nil
        case 300..<400: "it answered \(status), and redirects are not followed"
        default: "it answered \(status)"
        }
    }

    private static let mostErrorCharacters = 300

    private func describe(_ error: any Error) -> String {
        switch error {
        case let refusal as DestinationRule.Refusal: return refusal.description
        case let failure as AddressResolver.Failure: return failure.description
        case let error as HTTPClientError where [.deadlineExceeded, .connectTimeout, .readTimeout].contains(error):
            return "no answer within \(shared.attemptSeconds.formattedSeconds) s"
        case let error as HTTPClientError where error == .remoteConnectionClosed:
            return "it closed the connection without an answer"
        default: return String("\(error)".prefix(Self.mostErrorCharacters))
        }
    }
}

extension Double {
    /// `15`, `0.5`.
    fileprivate var formattedSeconds: String { self == rounded() ? "\(Int(self))" : "\(self)" }
}
