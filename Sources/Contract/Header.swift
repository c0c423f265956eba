/// The name of an AMQP header, as text for writing and as a constant for reading without allocation.
public struct HeaderName: Sendable, CustomStringConvertible {
    public let constant: StaticString
    public let name: String

    public init(_ constant: StaticString) {
        self.constant = constant
        self.name = constant.description
    }

    public var description: String { name }
}

/// The headers that the contract gives a meaning to.
public enum Header {
    /// The tenant's slug.
    public static let tenant = HeaderName("tenant")
    /// `Bearer <key>.<secret>`
    public static let authorization = HeaderName("authorization")
    /// W3C trace context.
    public static let traceparent = HeaderName("traceparent")
    /// The job is done only if what it changes still has one of these entity tags: as the header of HTTP of the same name (RFC 9110, section 13.1.1).
    public static let ifMatch = HeaderName("if-match")

    /// True on a job that came by HTTP: a worker says in its row of `tenantry.http_jobs` what became of it.
    public static let http = HeaderName("x-tenantry-http")

    public static let errorCode = HeaderName("x-tenantry-error-code")
    public static let errorMessage = HeaderName("x-tenantry-error-message")
    /// A JSON Pointer; absent where no field is to blame.
    public static let errorField = HeaderName("x-tenantry-error-field")
    public static let kind = HeaderName("x-tenantry-kind")
    /// How many attempts were counted.
    public static let attempts = HeaderName("x-tenantry-attempts")
    /// How often its transaction took too long and was cancelled.
    public static let cancellations = HeaderName("x-tenantry-cancellations")
    /// On a job that the fleet has sent anew because it had come back too often.
    public static let renewed = HeaderName("x-tenantry-renewed")
    /// How many bytes the job's body had, where the letter holds only its beginning.
    public static let bodyBytes = HeaderName("x-tenantry-body-bytes")
    /// The key of the credential that a dead job came with: what is left of its header `authorization`.
    public static let key = HeaderName("x-tenantry-key")
    /// An HMAC-SHA-256 in hexadecimal digits, there if the credential held: with it a dead job is done for ``key`` without the secret.
    public static let seal = HeaderName("x-tenantry-seal")
    /// JSON Pointers, separated by spaces, to what was taken out of a dead job's body because it is secret.
    public static let redacted = HeaderName("x-tenantry-redacted")
    /// A dead letter's own id, a UUID: that of its row in `tenantry.dead_letters`.
    public static let letter = HeaderName("x-tenantry-letter")
    /// RFC 3339.
    public static let failedAt = HeaderName("x-tenantry-failed-at")

    /// The step of the retry ladder in milliseconds; the headers exchange `tenantry.retry` routes by it.
    public static let retryDelay = HeaderName("tenantry-retry-delay")
    /// The error code that sent the job up the ladder.
    public static let retryCause = HeaderName("x-tenantry-retry-cause")
    /// The message that belongs to `retryCause`.
    public static let retryMessage = HeaderName("x-tenantry-retry-message")

    /// What the fleet adds to a job and takes off again before the job is replayed.
    public static let added = [
        errorCode, errorMessage, errorField, kind, attempts, cancellations, renewed, bodyBytes, key, seal, redacted, letter,
        failedAt,
        retryDelay,
        retryCause, retryMessage,
    ]
}
