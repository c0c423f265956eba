internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore
public import ServiceLifecycle

/// The HTTP API (`/v1`), as a service: it listens until the service group shuts down; then requests in hand are answered.
public struct APIServer: Service {
    private let services: Services
    private let onListening: @Sendable (Int) -> Void

    /// - Parameter onListening: called once with the port really bound.
    public init(_ services: Services, onListening: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.services = services
        self.onListening = onListening
    }

    /// - Throws: `HealthServerError` if the port is taken or not ours to bind, `NIOSSLError` if the certificate cannot be read; `CancellationError`.
    public func run() async throws {
        let options = services.options
        let connections = OpenConnections(most: options.mostConnections)
        let tls = try options.tls
        do {
            let builder = HTTPServerBuilder { responder in
                BoundedHTTP1Channel(responder: responder, connections: connections)
            }
            let application = Application(
                responder: APIResponder(table: RouteTable(Routes.all), services: services),
                server: try tls.map { try .tls(builder, tlsConfiguration: $0) } ?? builder,
                configuration: ApplicationConfiguration(address: .hostname(options.host, port: options.port)),
                onServerRunning: { [onListening] channel in onListening(channel.localAddress?.port ?? options.port) },
                logger: quietLogger)
            try await application.run()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw HealthServerError(host: options.host, port: options.port, message: "\(error)")
        }
    }

    /// Hummingbird announces its start and its end at info; the caller does that in its own words.
    private var quietLogger: Logger {
        var quiet = services.logger
        if quiet.logLevel == .info { quiet.logLevel = .notice }
        return quiet
    }
}

extension APIOptions {
    fileprivate var tls: TLSConfiguration? {
        get throws {
            guard let certificateFile, let keyFile else { return nil }
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificateFile).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)))
            configuration.minimumTLSVersion = .tlsv12
            return configuration
        }
    }
}

/// Every route there is.
enum Routes {
    static let all: [Route] =
        OpenAPIRoutes.all + MeRoutes.all + SessionRoutes.all + AccountRoutes.all + TenantRoutes.all + CorpusRoutes.all
        + ConversationRoutes.all + [ExportRoute.route] + PeopleRoutes.all + WebhookRoutes.all
        + BillingRoutes.all + JobRoutes.all + PlatformRoutes.all
}
