internal import Foundation
internal import Glibc
internal import Synchronization
internal import TestSupport

/// A way to the broker that can be cut: TCP on 127.0.0.1, passed on byte for byte, by threads of its own.
final class CuttingProxy: Sendable {
    private struct State {
        /// Both ends of each connection that lives.
        var pairs: [Int: (client: Int32, server: Int32)] = [:]
        var accepted = 0
        var isAway = false
    }

    let port: Int
    private let listener: Int32
    private let upstream: Int
    private let state = Mutex(State())

    /// - Parameter brokerURL: `amqp://…@host:port/vhost`, on this machine.
    init(to brokerURL: String) throws {
        guard let found = brokerURL.firstMatch(of: /@[^:\/]+:(\d+)\//), let upstream = Int(found.1) else {
            throw TestFailure("\(brokerURL) names no port")
        }
        self.upstream = upstream
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = Self.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isListening = withUnsafeMutablePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isListening else { throw TestFailure("no port for the proxy: errno \(errno)") }
        port = Int(UInt16(bigEndian: name.sin_port))
        Self.startThread { [self] in acceptAll() }
    }

    /// The broker's URL by way of this.
    func url(_ brokerURL: String) -> String {
        brokerURL.replacing(/@[^:\/]+:\d+\//, with: "@127.0.0.1:\(port)/")
    }

    /// Connections that were let through so far.
    var accepted: Int { state.withLock { $0.accepted } }

    /// Connections that live.
    var living: Int { state.withLock { $0.pairs.count } }

    /// Ends all connections, without a word of AMQP.
    func cut() {
        state.withLock { state in
            for pair in state.pairs.values {
                shutdown(pair.client, Int32(SHUT_RDWR))
                shutdown(pair.server, Int32(SHUT_RDWR))
            }
        }
    }

    /// Ends all connections, and those that are tried until ``comeBack()``.
    func goAway() {
        state.withLock { $0.isAway = true }
        cut()
    }

    func comeBack() { state.withLock { $0.isAway = false } }

    /// Ends everything; the port is given back.
    func close() {
        goAway()
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func acceptAll() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            let server = state.withLock { $0.isAway } ? -1 : connectUpstream()
            guard server >= 0 else {
                Glibc.close(client)
                continue
            }
            let number = state.withLock { state in
                state.accepted += 1
                state.pairs[state.accepted] = (client, server)
                return state.accepted
            }
            Self.startThread { [self] in
                Self.startThread { Self.pass(from: server, to: client) }
                Self.pass(from: client, to: server)
                end(number)
            }
        }
        Glibc.close(listener)
    }

    private func end(_ number: Int) {
        let pair = state.withLock { $0.pairs.removeValue(forKey: number) }
        guard let pair else { return }
        // The other direction's thread may still read: the sockets are shut down here, and their numbers never used again.
        shutdown(pair.client, Int32(SHUT_RDWR))
        shutdown(pair.server, Int32(SHUT_RDWR))
    }

    private func connectUpstream() -> Int32 {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = Self.address(port: upstream)
        let isConnected = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return server }
        Glibc.close(server)
        return -1
    }

    private static func pass(from: Int32, to: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        passing: while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            var sent = 0
            while sent < count {
                let written = buffer.withUnsafeBytes { send(to, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL)) }
                guard written > 0 else { break passing }
                sent += written
            }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private static func address(port: Int) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(port).bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return name
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        Thread.detachNewThread(body)
    }
}
