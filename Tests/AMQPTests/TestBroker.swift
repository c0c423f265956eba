import Embedded
import Foundation
import Testing

/// A throw-away RabbitMQ node of the driver's own, started once per test process, with TLS by a certificate of its own authority: some
/// of these tests close all its connections or raise its alarms.
actor TestBroker {
    static let shared = TestBroker()

    struct Running: Sendable {
        let node: BrokerNode
        let tlsPort: Int
        /// Holds `ca.pem`, which signed the node's certificate, and `other.pem`, which did not.
        let directory: String
    }

    private var start: Task<Running, any Error>?

    func running() async throws -> Running {
        let task = start ?? Task { try await Self.launch() }
        start = task
        return try await task.value
    }

    private static func launch() async throws -> Running {
        let directory = NSTemporaryDirectory() + "/amqp-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try makeCertificates(directory)
        let tlsPort = try Loopback.freePorts(1)[0]
        var options = BrokerNode.Options(directory: directory)
        options.lifetime = .throwAway
        options.plugins = []
        options.configuration = [
            "listeners.ssl.1 = 127.0.0.1:\(tlsPort)", "ssl_options.cacertfile = \(directory)/ca.pem",
            "ssl_options.certfile = \(directory)/server.pem", "ssl_options.keyfile = \(directory)/server.key",
        ]
        let node = BrokerNode(options)
        _ = try await node.start()
        return Running(node: node, tlsPort: tlsPort, directory: directory)
    }

    private static func makeCertificates(_ directory: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-ec", certificates]
        process.currentDirectoryURL = URL(filePath: directory)
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    private static let certificates = """
        for name in ca other; do
          openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 2 -subj "/CN=test $name"
        done
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        echo subjectAltName=DNS:localhost > extensions
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
        """
}

/// Everything that shares the node, one test after the other.
@Suite("On a real broker", .serialized)
enum BrokerTests {}

/// The URL of the node's only virtual host; tests name their queues apart.
func testBrokerURL() async throws -> String {
    try await TestBroker.shared.running().node.url() ?? ""
}
