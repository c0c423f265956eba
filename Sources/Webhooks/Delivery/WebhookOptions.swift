public import Postgres

/// How webhooks are called.
public struct WebhookOptions: Sendable {
    public var database: ConnectionOptions
    /// Whether they may be on this machine, over http too.
    public var allowsLoopback: Bool
    /// PEM files of authorities that are trusted beside the system's.
    public var certificateFiles: [String]
    /// Lines of endpoints that are served at once by this worker.
    public var parallel: Int
    /// The longest that an attempt takes.
    public var attemptSeconds: Double

    public init(
        database: ConnectionOptions, allowsLoopback: Bool = false, certificateFiles: [String] = [], parallel: Int = 256,
        attemptSeconds: Double = 15
    ) {
        self.database = database
        self.allowsLoopback = allowsLoopback
        self.certificateFiles = certificateFiles
        self.parallel = parallel
        self.attemptSeconds = attemptSeconds
    }
}
