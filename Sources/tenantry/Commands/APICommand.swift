internal import API
internal import ArgumentParser
internal import Console
internal import Glibc
internal import Logging
internal import Metrics
internal import Schema
internal import ServiceLifecycle
internal import TenantryClient

struct APICommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api",
        abstract:
            "Serves the HTTP API and the console until SIGTERM, SIGINT or SIGHUP, then answers what is in hand and exits with 0.",
        discussion:
            """
            For whoever has no AMQP client: the same jobs, credentials and answers, and what is to be read, under /v1. The OpenAPI document is \
            at /v1/openapi.json; the console, for people, is at /. It keeps nothing in its memory that counts: start as many as you like. \
            /live, /ready and /metrics are on a port of their own. Without a certificate (api.certificate_file, api.key_file) it speaks plain HTTP: for this machine alone, or behind a proxy \
            that has TLS.
            """)

    @OptionGroup var server: ServerOptions

    @Option(help: "Port of the API (TENANTRY_API_PORT); 0 takes a free one.")
    var port: Port?

    @Option(help: "HTTP port of health and metrics (TENANTRY_HTTP_PORT); 0 takes a free one.")
    var httpPort: Port?

    @Flag(
        help: ArgumentHelp(
            "End when standard input ends: it does with the process that holds its other end.", visibility: .hidden))
    var untilInputEnds = false

    func run() async throws {
        let settings = try await Settings(server)
        let process = try process(settings)
        defer { process.close() }
        try await process.run()
    }

    /// All that is to run, before anything of it does.
    private func process(_ settings: Settings) throws -> APIProcess {
        let logger = try settings.logger("tenantry.api")
        var options = try settings.api()
        let console = try settings.console()
        if let port { options.port = port.value }
        options.mostConnections = min(options.mostConnections, Self.mostDescriptors() - Self.ownDescriptors)
        let database = try settings.database(as: .api, name: "tenantry api")
        try checkSchema(database, logger)
        var clientOptions = JobClient.Options()
        clientOptions.connectionName = "tenantry api"
        clientOptions.allowsInsecure = try settings.allowsInsecureBroker()
        let client = try JobClient(brokerURL: try settings.brokerURL(), credential: "", options: clientOptions)
        return APIProcess(
            options, client, platform: BrokerPlatform(broker: try settings.broker(), fleet: try settings.topology()),
            pools: [DatabasePool(database, size: try settings.apiConnections()), DatabasePool(database, size: 2)],
            health: (settings.httpHost, try httpPort?.value ?? settings.httpPort()), console: console,
            untilInputEnds: untilInputEnds, logger: logger)
    }

    /// What is open besides clients' connections.
    private static let ownDescriptors = 300

    /// How many files and connections the process may have open: as many as it may allow itself.
    private static func mostDescriptors() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        limit.rlim_cur = min(limit.rlim_max, 1 << 20)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        return max(Self.ownDescriptors + 16, Int(min(limit.rlim_cur, 1 << 20)))
    }
}

/// The API's services, from their start to their end.
private struct APIProcess {
    private let group: ServiceGroup
    private let pools: [DatabasePool]
    private let untilInputEnds: Bool
    private let logger: Logger

    /// - Parameter pools: for what is asked, and for passwords.
    init(
        _ options: APIOptions, _ client: JobClient, platform: BrokerPlatform, pools: [DatabasePool],
        health place: (host: String, port: Int), console: ConsoleOptions, untilInputEnds: Bool, logger: Logger
    ) {
        self.pools = pools
        self.untilInputEnds = untilInputEnds
        self.logger = logger
        let metrics = PrometheusMetrics()
        metrics.describe("tenantry_http_requests_total", "Requests answered, by route, method and status.")
        metrics.describe("tenantry_http_request_seconds", "From a request's head to its answer's.")
        MetricsSystem.bootstrap(metrics)
        let services = Services(
            database: pools[0], signIns: pools[1], client: client, options: options, platform: platform, logger: logger)
        let health = HealthServer(
            host: place.host, port: place.port, readiness: services.readiness, metrics: metrics, logger: logger)
        let host = options.host
        let pages = ConsoleServer(LocalAPI(services), console)
        let api = APIServer(services, pages: pages) { port in
            logger.info("api started", metadata: ["http.port": "\(port)", "http.host": "\(host)"])
        }
        var configuration = ServiceGroupConfiguration(
            services: [
                .init(service: client), .init(service: health, failureTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: services.watch), .init(service: pages.history),
                .init(service: api, failureTerminationBehavior: .gracefullyShutdownGroup),
            ], logger: logger)
        // Whoever reads an export byte by byte does not keep it from ending.
        configuration.maximumGracefulShutdownDuration = .seconds(60)
        group = ServiceGroup(configuration: configuration)
    }

    func run() async throws {
        let (stops, stop) = AsyncStream<Void>.makeStream()
        WorkerSignals.drain { stop.yield() }
        let shutdown = Task { [group] in for await _ in stops { await group.triggerGracefulShutdown() } }
        defer { shutdown.cancel() }
        if untilInputEnds { WorkerSignals.terminateWhenInputEnds() }
        do {
            try await group.run()
        } catch let error as HealthServerError {
            throw Failure("\(error); name another port with --port or --http-port, or 0 for a free one")
        } catch let error as CertificateError {
            throw Failure("\(error)")
        }
        logger.info("api ended")
    }

    func close() {
        for pool in pools { pool.close() }
    }
}
