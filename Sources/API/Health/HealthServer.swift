internal import Hummingbird
public import Logging
public import ServiceLifecycle

/// A worker's HTTP side: `GET /live`, `GET /ready`, `GET /metrics`.
///
/// It has no authentication and so listens on the loopback address unless told otherwise. It runs until the task is cancelled
/// or its service group shuts down; then requests in hand are answered and idle connections closed.
public struct HealthServer: Service {
    /// Enough for probes and scrapers. One more closes the connection that has waited longest.
    private static let mostConnections = 256
    /// From a connection's opening or its last answer to the next request's whole head: two rounds of a slow scraper.
    private static let headSeconds = 120.0

    private let host: String
    private let port: Int
    private let responder: HealthResponder
    private let logger: Logger
    private let onListening: @Sendable (Int) -> Void

    /// Makes a server that `run()` starts.
    ///
    /// - Parameters:
    ///   - host: the address or name to listen on.
    ///   - port: 0 to 65,535; 0 takes a free one.
    ///   - readiness: asked at every `/ready`; must not block.
    ///   - metrics: what `/metrics` renders.
    ///   - logger: warnings and errors go here, requests at debug at most.
    ///   - onListening: called once with the port really bound.
    public init(
        host: String = "127.0.0.1",
        port: Int,
        readiness: @escaping @Sendable () -> Readiness,
        metrics: PrometheusMetrics,
        logger: Logger,
        onListening: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.host = host
        self.port = port
        self.responder = HealthResponder(readiness: readiness, metrics: metrics)
        self.logger = logger
        self.onListening = onListening
    }

    /// Listens and answers until shutdown.
    ///
    /// - Throws: `HealthServerError` if the port is taken, out of range or not ours to bind; `CancellationError` if cancelled.
    public func run() async throws {
        guard (0...65_535).contains(port) else {
            throw HealthServerError(host: host, port: port, message: "a port is a number from 0 to 65535")
        }
        let connections = OpenConnections(most: Self.mostConnections)
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionDeadline(connections, ClientTimes(idle: Self.headSeconds))])),
            configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
            onServerRunning: { [port, onListening] channel in onListening(channel.localAddress?.port ?? port) },
            logger: serverLogger)
        do {
            try await application.run()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw HealthServerError(host: host, port: port, message: "\(error)")
        }
    }

    /// Hummingbird announces its start and its end at info; the caller, told of the port, does that in its own words.
    private var serverLogger: Logger {
        var quiet = logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return quiet
    }
}
