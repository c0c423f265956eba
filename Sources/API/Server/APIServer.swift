internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
internal import Logging
internal import NIOCore
internal import NIOSSL
public import ServiceLifecycle

/// The HTTP API (`/v1`), as a service: it listens until the service group shuts down; then requests in hand are answered.
public struct APIServer: Service {
    private let services: Services
    private let pages: (any PageServer)?
    private let onListening: @Sendable (Int) -> Void

    /// - Parameter onListening: called once with the port really bound.
    public init(_ services: Services, onListening: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.services = services
        self.onListening = onListening
        pages = nil
    }

    /// - Parameter pages: answers whatever is not below `/v1`.
    package init(_ services: Services, pages: any PageServer, onListening: @escaping @Sendable (Int) -> Void = { _ in }) {
        self.services = services
        self.pages = pages
        self.onListening = onListening
    }

    /// - Throws: `HealthServerError` if the port is taken or not ours to bind; ``CertificateError``; `CancellationError`.
    public func run() async throws {
        let options = services.options
        let connections = OpenConnections(most: options.mostConnections)
        let server = try options.secured(
            HTTPServerBuilder { responder in
                BoundedHTTP1Channel(responder: responder, connections: connections, times: options.times)
            })
        do {
            let application = Application(
                responder: APIResponder(table: RouteTable(Routes.all), services: services, pages: pages),
                server: server,
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

/// Certificate and key cannot be used.
public struct CertificateError: Error, CustomStringConvertible {
    public let description: String
}

extension APIOptions {
    /// The same over TLS, if there is a certificate.
    fileprivate func secured(_ builder: HTTPServerBuilder) throws(CertificateError) -> HTTPServerBuilder {
        guard let certificateFile, let keyFile else { return builder }
        func reading<Value>(_ what: String, _ read: () throws -> Value) throws(CertificateError) -> Value {
            do { return try read() } catch { throw CertificateError(description: "\(what): \(error)") }
        }
        let chain = try reading("api.certificate_file: \(certificateFile) cannot be read as PEM") {
            try NIOSSLCertificate.fromPEMFile(certificateFile)
        }
        let key = try reading("api.key_file: \(keyFile) cannot be read as PEM") {
            try NIOSSLPrivateKey(file: keyFile, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        return try reading("api.key_file: \(keyFile) is not the key of \(certificateFile)") {
            // The builder makes one by itself, and only when it listens.
            _ = try NIOSSLContext(configuration: configuration)
            return try .tls(builder, tlsConfiguration: configuration)
        }
    }
}

/// Every route there is.
enum Routes {
    static let all: [Route] =
        OpenAPIRoutes.all + MeRoutes.all + SessionRoutes.all + AccountRoutes.all + TenantRoutes.all + CorpusRoutes.all
        + ConversationRoutes.all + [ExportRoute.route] + PeopleRoutes.all + WebhookRoutes.all
        + BillingRoutes.all + AttentionRoutes.all + JobRoutes.all + PlatformRoutes.all
}
