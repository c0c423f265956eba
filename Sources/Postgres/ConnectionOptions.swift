/// Where and how to connect. The description never shows the URL, which may hold a password.
public struct ConnectionOptions: Sendable, CustomStringConvertible {
    /// A libpq URI or keyword string. What it sets (`sslmode`, `application_name`, `connect_timeout`, …) wins over the defaults here.
    public var url: String
    public var applicationName: String
    public var connectTimeoutSeconds: Int
    /// The most statements a connection keeps prepared; the least recently used one makes room.
    public var statementCacheCapacity: Int
    /// The longest wait for a lock, in milliseconds: SQLSTATE 55P03 after that; nil: no limit.
    public var lockTimeoutMilliseconds: Int?
    /// A session that has a transaction open and says nothing for so long is ended, and what it had locked is free; nil: no limit.
    public var idleInTransactionSeconds: Int?

    public init(
        url: String, applicationName: String = "tenantry", connectTimeoutSeconds: Int = 5, statementCacheCapacity: Int = 2048
    ) {
        self.url = url
        self.applicationName = applicationName
        self.connectTimeoutSeconds = connectTimeoutSeconds
        self.statementCacheCapacity = max(1, statementCacheCapacity)
    }

    public var description: String { "PostgreSQL connection options of \(applicationName)" }

    /// Session settings of every connection. Generic plans: the statements are simple, and planning each execution costs
    /// as much as running it. They travel in the startup packet, so that connecting takes no further round trip.
    private static let sessionSettings = "-c plan_cache_mode=force_generic_plan -c client_min_messages=warning -c timezone=UTC"

    /// Keywords and values in the order in which libpq overrides them: defaults, the URL, and what must be so.
    func keywords() throws(PostgresError) -> [(String, String)] {
        let connectTimeout = String(connectTimeoutSeconds)
        var settings = Self.sessionSettings
        if let lockTimeoutMilliseconds { settings += " -c lock_timeout=\(lockTimeoutMilliseconds)" }
        if let idleInTransactionSeconds { settings += " -c idle_in_transaction_session_timeout=\(idleInTransactionSeconds)s" }
        if let own = try optionsInURL() { settings += " " + own }
        return [
            ("application_name", applicationName), ("connect_timeout", connectTimeout),
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "20000"),
            ("dbname", url),
            ("client_encoding", "UTF8"), ("options", settings),
        ]
    }

    /// The URL's own `options`, which come after ours.
    private func optionsInURL() throws(PostgresError) -> String? {
        guard url.contains("=") || url.contains("://") else { return nil }
        return try Self.parameters(of: url).first { $0.keyword == "options" }?.value
    }
}
