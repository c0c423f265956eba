internal import AMQP
internal import API
internal import ArgumentParser
internal import Billing
internal import Configuration
internal import Console
internal import Contract
internal import Families
internal import Fleet
internal import Glibc
internal import Jobs
internal import Logging
internal import Postgres
internal import Schema
internal import SystemPackage
internal import Webhooks

/// Where the servers are; the options that nearly every command takes.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Settings file (default: config/tenantry.yaml, if it is there).", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp("Broker (TENANTRY_AMQP_URL): amqp://user:password@host:port/vhost, or amqps://.", valueName: "url"))
    var amqpURL: String?

    @Option(
        help: ArgumentHelp(
            "Database (TENANTRY_DATABASE_URL): postgresql://user:password@host:port/name. Counts before the URLs of workers, readers and the API.",
            valueName: "url"))
    var databaseURL: String?
}

/// The settings: options before environment before file.
struct Settings {
    /// Every setting that a file may hold; a name that is not among them is a mistake.
    static let keys: Set<String> = Set(
        [
            "amqp.url", "amqp.insecure", "database.url", "database.insecure", "http.host", "http.port", "log.level",
            "worker.families", "worker.batch",
            "worker.buffer_bytes",
            "worker.heartbeat_seconds", "worker.job_seconds", "worker.drain_seconds", "worker.schemas_per_connection",
            "worker.declare_topology", "worker.database_url", "reader.database_url", "api.database_url",
            "api.host", "api.port", "api.requests_per_minute", "api.connections", "api.database_connections",
            "api.certificate_file",
            "api.key_file", "api.cors_origins", "api.behind_proxy", "console.read_only",
            "retry.delays_ms", "retry.steps_for_missing_tenant", "inbox.retention_hours", "dead.retention_days", "dead.most",
            "usage.aggregate_seconds",
            "usage.idle_hours", "tenants.retention_days", "plans.file", "stripe.url", "stripe.days_until_due",
            "stripe.timeout_seconds", "webhooks.allow_loopback", "webhooks.ca_files", "webhooks.parallel",
            "webhooks.retention_days",
        ] + Family.allCases.flatMap { ["worker.lanes.\($0.rawValue)", "partitions.\($0.rawValue)"] })

    private let reader: ConfigReader
    /// The environment alone, for what does not belong in a file.
    private let secrets: ConfigReader
    private let options: ServerOptions

    init(_ options: ServerOptions) async throws {
        self.options = options
        let environment = EnvironmentVariablesProvider().prefixKeys(with: "tenantry")
        secrets = ConfigReader(provider: environment)
        let path = options.config ?? "config/tenantry.yaml"
        guard options.config != nil || access(path, F_OK) == 0 else {
            reader = secrets
            return
        }
        guard let top = try YAMLPlace.read(path) else {
            reader = secrets
            return
        }
        try Self.check(top)
        do {
            reader = ConfigReader(providers: [environment, try await FileProvider<YAMLSnapshot>(filePath: .init(path))])
        } catch {
            throw Failure("\(path) cannot be read: \(error)")
        }
    }

    /// A name that nobody reads would be a setting that has no effect.
    private static func check(_ top: YAMLPlace) throws {
        var left = [top]
        while let place = left.popLast() {
            if place.path.isEmpty || keys.contains(where: { $0.hasPrefix(place.name + ".") }) {
                if !place.isNull { left += try place.entries().map(\.place) }
            } else if !keys.contains(place.name) {
                throw place.failure("there is no such setting")
            }
        }
    }

    func brokerURL() throws -> String {
        let url = try required(
            options.amqpURL ?? reader.string(forKey: "amqp.url", isSecret: true), "the broker's URL", "TENANTRY_AMQP_URL",
            "--amqp-url")
        let parsed: BrokerURL
        do {
            parsed = try BrokerURL(url)
        } catch {
            throw Failure("TENANTRY_AMQP_URL or --amqp-url: \(error.message)")
        }
        if parsed.isUnprotected, try !allowsInsecureBroker() {
            throw Failure(
                "amqp.url: \(parsed.host) is another machine, where credentials would go in the clear: use amqps://, "
                    + "or set amqp.insecure to true")
        }
        return url
    }

    /// Whether the broker may be another machine without TLS.
    func allowsInsecureBroker() throws -> Bool { try bool("amqp.insecure", false) }

    /// Who a command is to be in the database. Without a URL of its own for the role, it is the owner, as ever.
    ///
    /// - Throws: ``Failure`` if there is no URL at all, or one of another machine that does not ask for TLS.
    func databaseURL(as role: DatabaseRole? = nil) throws -> String {
        let url = try required(
            options.databaseURL ?? role.flatMap { ownURL(of: $0) } ?? reader.string(forKey: "database.url", isSecret: true),
            "the database's URL", "TENANTRY_DATABASE_URL", "--database-url")
        guard let host = try ConnectionOptions(url: url).unprotectedHosts().first, try !bool("database.insecure", false) else {
            return url
        }
        throw Failure(
            "database.url: \(host) is another machine, where passwords and data might go in the clear: add sslmode=verify-full "
                + "(or require) to the URL, or set database.insecure to true")
    }

    /// The URL that is set for workers, readers or the API; nil: none.
    func ownURL(of role: DatabaseRole) -> String? {
        reader.string(forKey: ConfigKey([role.rawValue, "database_url"]), isSecret: true).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// For commands that only show something.
    func readersDatabase(name: String) throws -> ConnectionOptions { try database(as: .reader, name: name) }

    func broker() throws -> BrokerURL {
        try BrokerURL(try brokerURL())
    }

    /// - Parameter role: nil: the owner, for commands that change something.
    func database(as role: DatabaseRole? = nil, name: String = "tenantry") throws -> ConnectionOptions {
        ConnectionOptions(url: try databaseURL(as: role), applicationName: name)
    }

    /// The credential that jobs are sent with.
    func credential(_ option: CredentialOptions? = nil) throws -> String {
        let text =
            try option?.given() ?? secrets.string(forKey: "token", isSecret: true)
            ?? secrets.string(forKey: "operator.token", isSecret: true)
        return try required(text, "a credential", "TENANTRY_OPERATOR_TOKEN (or TENANTRY_TOKEN)", "--token-file")
    }

    var httpHost: String { reader.string(forKey: "http.host", default: "127.0.0.1") }
    func httpPort() throws -> Int { try int("http.port", 0, 0...65_535) }
    var plansFile: String { reader.string(forKey: "plans.file", default: "config/plans.yaml") }
    var namesPlansFile: Bool { reader.string(forKey: "plans.file") != nil }

    func logger(_ label: String) throws -> Logger {
        let text = reader.string(forKey: "log.level", default: "info")
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw Failure("log.level: \"\(text)\" is no log level")
        }
        var logger = Logger(
            label: label,
            factory: { RateLimitedLogHandler(PrintableLogHandler(StreamLogHandler.standardError(label: $0))) })
        logger.logLevel = level
        return logger
    }

    /// The HTTP API's options.
    func api() throws -> APIOptions {
        var options = APIOptions()
        options.host = reader.string(forKey: "api.host", default: options.host)
        options.port = try int("api.port", options.port, 0...65_535)
        options.requestsPerMinute = try int("api.requests_per_minute", options.requestsPerMinute, 1...10_000_000)
        options.mostConnections = try int("api.connections", options.mostConnections, 1...100_000)
        options.idleHours = Int64(try int("usage.idle_hours", Int(options.idleHours), 0...87_600))
        options.certificateFile = reader.string(forKey: "api.certificate_file")
        options.keyFile = reader.string(forKey: "api.key_file")
        guard (options.certificateFile == nil) == (options.keyFile == nil) else {
            throw Failure("api.certificate_file and api.key_file: set both, or neither")
        }
        options.corsOrigins = reader.stringArray(forKey: "api.cors_origins", default: [])
        options.isBehindProxy = try bool("api.behind_proxy", false)
        if options.certificateFile == nil, !options.isBehindProxy, !["127.0.0.1", "::1", "localhost"].contains(options.host) {
            throw Failure(
                "api.host: \(options.host) is not this machine alone, where credentials would go in the clear: set api.certificate_file "
                    + "and api.key_file, or api.behind_proxy where a proxy has TLS")
        }
        return options
    }

    /// How the console behaves.
    func console() throws -> ConsoleOptions {
        var options = ConsoleOptions()
        options.isReadOnly = try bool("console.read_only", options.isReadOnly)
        return options
    }

    /// Connections to the database that the API has at most.
    func apiConnections() throws -> Int { try int("api.database_connections", 8, 1...200) }

    /// What shapes the queues, for whoever only asks for them.
    func topology() throws -> FleetOptions {
        var fleet = FleetOptions(broker: try broker(), database: ConnectionOptions(url: ""))
        try readTopology(&fleet)
        return fleet
    }

    /// A worker's options.
    ///
    /// - Parameters:
    ///   - families: the families to serve; nil: as configured, all by default.
    ///   - lanes: lanes of each family; nil: as configured.
    func fleet(families: [Family]?, lanes: Int?) throws -> FleetOptions {
        var fleet = FleetOptions(broker: try broker(), database: try database(as: .worker, name: "tenantry worker"))
        try readTopology(&fleet)
        fleet.lanes = [:]
        for family in try families ?? configuredFamilies() {
            fleet.lanes[family] = try lanes ?? int("worker.lanes.\(family.rawValue)", family.defaultLanes, 1...256)
        }
        fleet.batchLimit = try int("worker.batch", fleet.batchLimit, 1...32_000)
        fleet.bufferBytes = try int("worker.buffer_bytes", fleet.bufferBytes, 1 << 20...1 << 34)
        fleet.heartbeatSeconds = try int("worker.heartbeat_seconds", fleet.heartbeatSeconds, 1...600)
        fleet.jobSeconds = Double(try int("worker.job_seconds", Int(fleet.jobSeconds), 1...3_600))
        fleet.drainSeconds = Double(try int("worker.drain_seconds", Int(fleet.drainSeconds), 1...3_600))
        fleet.schemasPerConnection = try int("worker.schemas_per_connection", fleet.schemasPerConnection, 1...1_000_000)
        fleet.declaresTopology = try bool("worker.declare_topology", true)
        fleet.deadRetentionDays = Int64(try int("dead.retention_days", Int(fleet.deadRetentionDays), 1...3_650))
        fleet.mostDeadLetters = Int64(try int("dead.most", Int(fleet.mostDeadLetters), 1...100_000_000))
        fleet.inboxRetentionHours = Int64(try int("inbox.retention_hours", Int(fleet.inboxRetentionHours), 1...100_000))
        return fleet
    }

    /// The options of the handlers and of the leader's duties.
    func families(_ fleet: FleetOptions) throws -> Families.Options {
        var options = Families.Options(batchLimit: fleet.batchLimit)
        options.retentionDays = Int64(try int("tenants.retention_days", Int(options.retentionDays), 0...3_650))
        options.idleHours = Int64(try int("usage.idle_hours", Int(options.idleHours), 0...87_600))
        options.aggregateSeconds = Double(try int("usage.aggregate_seconds", Int(options.aggregateSeconds), 1...86_400))
        options.sendsInvoices = stripeKey != nil
        options.allowsLoopbackWebhooks = try bool("webhooks.allow_loopback", false)
        options.webhookRetentionDays = Int64(try int("webhooks.retention_days", Int(options.webhookRetentionDays), 4...3_650))
        return options
    }

    /// How invoices reach Stripe; nil without a key. What is set is checked all the same.
    func stripe(_ fleet: FleetOptions) throws -> StripeOptions? {
        let days = try int("stripe.days_until_due", 14, 1...365)
        let timeout = try int("stripe.timeout_seconds", 30, 1...300)
        do {
            var database = fleet.database
            database.applicationName = "tenantry invoices"
            let options = try StripeOptions(
                url: reader.string(forKey: "stripe.url", default: StripeOptions.standardURL), key: stripeKey ?? "none",
                daysUntilDue: days, timeoutSeconds: timeout, database: database)
            return stripeKey == nil ? nil : options
        } catch {
            throw Failure("stripe.\(error.setting): \(error)")
        }
    }

    /// How webhooks are called.
    func webhooks(_ fleet: FleetOptions) throws -> WebhookOptions {
        var options = WebhookOptions(database: fleet.database)
        options.database.applicationName = "tenantry webhooks"
        options.allowsLoopback = try bool("webhooks.allow_loopback", false)
        options.certificateFiles = reader.stringArray(forKey: "webhooks.ca_files", default: [])
        options.parallel = try int("webhooks.parallel", options.parallel, 1...10_000)
        return options
    }

    /// From the environment alone: it does not belong in a file.
    private var stripeKey: String? {
        secrets.string(forKey: "stripe.key", isSecret: true).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The part of a worker's options that shapes the queues.
    func readTopology(_ fleet: inout FleetOptions) throws {
        for family in Family.allCases {
            let partitions = try int("partitions.\(family.rawValue)", 1, 1...256)
            if partitions > 1 { fleet.partitions[family] = partitions }
        }
        let delays = reader.intArray(forKey: "retry.delays_ms") ?? []
        let isSet =
            !delays.isEmpty || reader.string(forKey: "retry.delays_ms") != nil
            || reader.stringArray(forKey: "retry.delays_ms") != nil
        guard !isSet || (!delays.isEmpty && delays == delays.sorted() && delays.allSatisfy({ (1...604_800_000).contains($0) }))
        else {
            throw Failure("retry.delays_ms: must be a list of milliseconds, ascending, each from 1 to 604800000 (7 days)")
        }
        fleet.ladder = RetryLadder(
            delaysMilliseconds: isSet ? delays.map { Int64($0) } : fleet.ladder.delaysMilliseconds,
            stepsForMissingTenant: try int("retry.steps_for_missing_tenant", 3, 0...100))
    }

    private func configuredFamilies() throws -> [Family] {
        let names = reader.stringArray(forKey: "worker.families", default: Family.allCases.map(\.rawValue))
        return try Self.families(names)
    }

    static func families(_ names: [String]) throws -> [Family] {
        guard !names.isEmpty else {
            throw Failure("no family is named: \(Family.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return try names.map { name in
            guard let family = Family(rawValue: name) else {
                throw Failure(
                    "there is no family \"\(name)\": there are \(Family.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return family
        }
    }

    /// Yes or no; text that is neither is an error, not the default.
    private func bool(_ key: ConfigKey, _ standard: Bool) throws -> Bool {
        if let value = reader.bool(forKey: key) { return value }
        guard let text = reader.string(forKey: key) else { return standard }
        throw Failure("\(key): \"\(text)\" is neither true nor false")
    }

    /// A whole number in a range; text that is none is an error, not the default.
    private func int(_ key: String, _ standard: Int, _ range: ClosedRange<Int>) throws -> Int {
        let path = ConfigKey(key.split(separator: ".").map { String($0) })
        let value: Int
        if let number = reader.int(forKey: path) {
            value = number
        } else if let text = reader.string(forKey: path) {
            throw Failure("\(key): \"\(text)\" is no whole number")
        } else {
            value = standard
        }
        guard range.contains(value) else {
            throw Failure("\(key): \(value) is not within \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func required(_ text: String?, _ what: String, _ variable: String, _ option: String) throws -> String {
        guard let text, !text.isEmpty else { throw Failure("\(what) is not known: set \(variable) or pass \(option)") }
        return text
    }
}
