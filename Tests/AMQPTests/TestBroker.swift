import Foundation
import Testing

/// A throw-away RabbitMQ node, started once per test process on free loopback ports, with TLS by a certificate of its own authority.
/// It ends with the process, however that ends: the shell that supervises it waits for the end of its standard input.
actor TestBroker {
    static let shared = TestBroker()
    private var start: Task<Void, any Error>?
    private var lifeline: FileHandle?
    nonisolated let directory = URL(filePath: NSTemporaryDirectory()).appending(
        path: "amqp-tests-\(getpid())", directoryHint: .isDirectory)
    nonisolated let port = freePort()
    nonisolated let tlsPort = freePort()
    nonisolated private let epmdPort = freePort()
    nonisolated private let distributionPort = freePort()

    func started() async throws -> TestBroker {
        if start == nil { start = Task { try await launch() } }
        try await start?.value
        return self
    }

    nonisolated var environment: [String: String] {
        let path = directory.path(percentEncoded: false)
        return [
            "PATH": "/usr/lib/rabbitmq/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": path, "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": "amqp-\(getpid())@localhost", "RABBITMQ_MNESIA_BASE": path + "/mnesia",
            "RABBITMQ_LOG_BASE": path + "/log", "RABBITMQ_PID_FILE": path + "/pid",
            "RABBITMQ_CONFIG_FILE": path + "/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": path + "/plugins", "RABBITMQ_CONF_ENV_FILE": path + "/none",
            "RABBITMQ_NODE_PORT": "\(port)", "RABBITMQ_DIST_PORT": "\(distributionPort)", "ERL_EPMD_PORT": "\(epmdPort)",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}", "BROKER_DIRECTORY": path,
        ]
    }

    private func launch() async throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let path = directory.path(percentEncoded: false)
        let configuration = """
            listeners.tcp.1 = 127.0.0.1:\(port)
            listeners.ssl.1 = 127.0.0.1:\(tlsPort)
            ssl_options.cacertfile = \(path)/ca.pem
            ssl_options.certfile = \(path)/server.pem
            ssl_options.keyfile = \(path)/server.key
            default_user = test
            default_pass = test
            loopback_users = none
            """
        try configuration.write(to: directory.appending(path: "rabbitmq.conf"), atomically: true, encoding: .utf8)
        try "[].".write(to: directory.appending(path: "plugins"), atomically: true, encoding: .utf8)
        try await run("/bin/sh", ["-ec", Self.certificates])
        let supervisor = Process()
        let input = Pipe()
        supervisor.executableURL = URL(filePath: "/bin/sh")
        supervisor.arguments = ["-c", Self.supervision]
        supervisor.environment = environment
        supervisor.standardInput = input
        try supervisor.run()
        lifeline = input.fileHandleForWriting
        for _ in 0..<120 {
            try await Task.sleep(for: .milliseconds(500))
            if (try? await run("rabbitmqctl", ["await_startup", "--timeout", "60"])) != nil { return }
        }
        throw BrokerFailure(output: "the node did not start, see \(path)/log")
    }

    private static let certificates = """
        cd "$BROKER_DIRECTORY"
        for name in ca other; do
          openssl req -x509 -newkey rsa:2048 -nodes -keyout $name.key -out $name.pem -days 2 -subj "/CN=test $name"
        done
        openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost
        echo subjectAltName=DNS:localhost > extensions
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out server.pem
        """

    private static let supervision = """
        trap '' INT TERM
        exec > /dev/null 2>&1
        epmd -port $ERL_EPMD_PORT -address 127.0.0.1 & epmd=$!
        sleep 0.2
        rabbitmq-server > "$BROKER_DIRECTORY/output" 2>&1 &
        cat
        kill -9 $(cat "$RABBITMQ_PID_FILE") $epmd
        sleep 0.5
        rm -rf "$BROKER_DIRECTORY"
        """

    /// Runs a command in the node's environment and returns its output.
    @discardableResult
    nonisolated func run(_ command: String, _ arguments: [String]) async throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.environment = environment
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        let text = String(decoding: data, as: UTF8.self)
        guard process.terminationStatus == 0 else { throw BrokerFailure(output: text) }
        return text
    }
}

/// Everything that shares the node, one test after the other: some of them close all its connections or raise its alarms.
@Suite("On a real broker", .serialized)
enum BrokerTests {}

struct BrokerFailure: Error { let output: String }

/// The URL of the node's only virtual host; tests name their queues apart.
func testBrokerURL() async throws -> String {
    "amqp://test:test@127.0.0.1:\(try await TestBroker.shared.started().port)/"
}

private func freePort() -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = bind(descriptor, $0, length)
            _ = getsockname(descriptor, $0, &length)
        }
    }
    return Int(UInt16(bigEndian: address.sin_port))
}
