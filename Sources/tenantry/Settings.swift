internal import AMQP
internal import ArgumentParser
internal import Configuration
internal import Contract
internal import Fleet
internal import Logging
internal import Postgres
internal import SystemPackage

/// Where the servers are; the options that nearly every command takes.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Settings file.", valueName: "file"))
    var config = "config/tenantry.yaml"

    @Option(
        help: ArgumentHelp("Broker (TENANTRY_AMQP_URL): amqp://user:password@host:port/vhost, or amqps://.", valueName: "url"))
    var amqpURL: String?

    @Option(help: ArgumentHelp("Database (TENANTRY_DATABASE_URL): postgresql://user:password@host:port/name.", valueName: "url"))
    var databaseURL: String?
}

/// The settings: options before environment before file.
struct Settings {
    private let reader: ConfigReader
    private let options: ServerOptions

    init(_ options: ServerOptions) async throws {
        self.options = options
        let environment = EnvironmentVariablesProvider().prefixKeys(with: "tenantry")
        do {
            let file = try await FileProvider<YAMLSnapshot>(filePath: .init(options.config), allowMissing: true)
            reader = ConfigReader(providers: [environment, file])
        } catch {
            throw Failure("\(options.config) cannot be read: \(error)")
        }
    }

    func brokerURL() throws -> String {
        try required(
            options.amqpURL ?? reader.string(forKey: "amqp.url", isSecret: true), "the broker's URL", "TENANTRY_AMQP_URL",
            "--amqp-url")
    }

    func databaseURL() throws -> String {
        try required(
            options.databaseURL ?? reader.string(forKey: "database.url", isSecret: true), "the database's URL",
            "TENANTRY_DATABASE_URL",
            "--database-url")
    }

    func broker() throws -> BrokerURL {
        try BrokerURL(try brokerURL())
    }

    func database(name: String = "tenantry") throws -> ConnectionOptions {
        ConnectionOptions(url: try databaseURL(), applicationName: name)
    }

    /// The credential that jobs are sent with.
    func credential(_ option: String?) throws -> String {
        let text =
            option ?? reader.string(forKey: "token", isSecret: true) ?? reader.string(forKey: "operator.token", isSecret: true)
        return try required(text, "a credential", "TENANTRY_OPERATOR_TOKEN (or TENANTRY_TOKEN)", "--token")
    }

    var httpHost: String { reader.string(forKey: "http.host", default: "127.0.0.1") }
    func httpPort() throws -> Int { try int("http.port", 0, 0...65_535) }
    var plansFile: String { reader.string(forKey: "plans.file", default: "config/plans.yaml") }

    func logger(_ label: String) throws -> Logger {
        let text = reader.string(forKey: "log.level", default: "info")
        guard let level = Logger.Level(rawValue: text.lowercased()) else {
            throw Failure("log.level: \"\(text)\" is no log level")
        }
        var logger = Logger(label: label, factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = level
        return logger
    }

    /// What a worker is told.
    ///
    /// - Parameters:
    ///   - families: the families to serve; nil: as configured, all by default.
    ///   - lanes: lanes of each family; nil: as configured.
    func fleet(families: [Family]?, lanes: Int?) throws -> FleetOptions {
        var fleet = FleetOptions(broker: try broker(), database: try database(name: "tenantry worker"))
        try readTopology(&fleet)
        fleet.lanes = [:]
        for family in try families ?? configuredFamilies() {
            fleet.lanes[family] = try lanes ?? int("worker.lanes.\(family.rawValue)", family == .conversation ? 2 : 1, 1...256)
        }
        fleet.batchLimit = try int("worker.batch", fleet.batchLimit, 1...32_000)
        fleet.bufferBytes = try int("worker.buffer_bytes", fleet.bufferBytes, 1 << 20...1 << 34)
        fleet.heartbeatSeconds = try int("worker.heartbeat_seconds", fleet.heartbeatSeconds, 1...600)
        fleet.drainSeconds = Double(try int("worker.drain_seconds", Int(fleet.drainSeconds), 1...3_600))
        fleet.schemasPerConnection = try int("worker.schemas_per_connection", fleet.schemasPerConnection, 1...1_000_000)
        fleet.declaresTopology = reader.bool(forKey: "worker.declare_topology", default: true)
        fleet.inboxRetentionHours = Int64(try int("inbox.retention_hours", Int(fleet.inboxRetentionHours), 1...100_000))
        fleet.aggregateSeconds = Double(try int("usage.aggregate_seconds", Int(fleet.aggregateSeconds), 1...86_400))
        return fleet
    }

    /// The part of a worker's options that shapes the queues.
    func readTopology(_ fleet: inout FleetOptions) throws {
        for family in Family.allCases {
            let partitions = try int("partitions.\(family.rawValue)", 1, 1...256)
            if partitions > 1 { fleet.partitions[family] = partitions }
        }
        let delays = reader.intArray(forKey: "retry.delays_ms", default: fleet.ladder.delaysMilliseconds.map { Int($0) })
        guard !delays.isEmpty, delays.allSatisfy({ $0 > 0 }) else {
            throw Failure("retry.delays_ms: must be a list of milliseconds above 0")
        }
        fleet.ladder = RetryLadder(
            delaysMilliseconds: delays.map { Int64($0) },
            stepsForMissingTenant: try int("retry.steps_for_missing_tenant", 3, 0...100))
    }

    private func configuredFamilies() throws -> [Family] {
        let names = reader.stringArray(forKey: "worker.families", default: Family.allCases.map(\.rawValue))
        return try Self.families(names)
    }

    static func families(_ names: [String]) throws -> [Family] {
        try names.map { name in
            guard let family = Family(rawValue: name) else {
                throw Failure(
                    "there is no family \"\(name)\": there are \(Family.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return family
        }
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
