internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// A host at one address, and the connection to it that is kept open between attempts. What is called is that very address, while certificate
/// and header `Host` are held against the name.
struct Destination: Sendable {
    let host: String
    let address: NetworkAddress
    private let client: HTTPClient

    /// An answer is read so far: what follows is not waited for.
    private static let mostAnswerBytes = 16 << 10

    init(host: String, address: NetworkAddress, trust: Trust, attemptSeconds: Double) {
        self.host = host
        self.address = address
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        configuration.dnsOverride = [host: address.text]
        configuration.timeout.connect = .milliseconds(Int64(attemptSeconds * 1_000))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1
        configuration.connectionPool.idleTimeout = .seconds(10)
        // Nothing is sent twice under one attempt.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = trust.configuration
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// - Returns: the answer's status, and what its header `Retry-After` says.
    /// - Throws: what the client throws, after the deadline at the latest.
    func post(
        _ url: String, _ headers: [(name: String, value: String)], body: [UInt8], deadline: NIODeadline
    ) async throws -> (status: Int, retryAfter: String?) {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        let answer = try await client.execute(request, deadline: deadline)
        // The rest of a short answer, so that the connection can be used again. The status says it all: whatever becomes of the body does not.
        do {
            var count = 0
            for try await part in answer.body {
                count += part.readableBytes
                if count > Self.mostAnswerBytes { break }
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
        }
        return (Int(answer.status.code), answer.headers.first(name: "Retry-After"))
    }

    func shutdown() async {
        // Nothing is left to be done about a client that does not end well.
        try? await client.shutdown()
    }

    /// Whose certificates are good: read once, since a thousand clients have them.
    struct Trust: Sendable {
        let configuration: TLSConfiguration

        /// Where systems keep all authorities in one file.
        private static let systemFiles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

        /// - Throws: what of a file cannot be read.
        init(certificateFiles: [String]) throws {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            if let file = Self.systemFiles.first(where: { access($0, R_OK) == 0 }) {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            }
            let own = try certificateFiles.flatMap { try NIOSSLCertificate.fromPEMFile($0) }
            configuration.additionalTrustRoots = own.isEmpty ? [] : [.certificates(own)]
            self.configuration = configuration
        }
    }
}
