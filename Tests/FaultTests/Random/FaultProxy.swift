internal import Embedded
internal import Foundation
internal import Glibc
internal import Synchronization
internal import TestSupport

/// A way to a server that can be disturbed: everybody who takes it is disturbed alike.
final class FaultProxy: Sendable {
    enum Mode: Equatable {
        case open
        /// Each piece of data waits so many milliseconds, in both directions.
        case delayed(milliseconds: UInt32)
        /// What is sent is lost, and nobody is told. Connections that have lost something are reset once the way is open again, as by a
        /// peer that no longer knows them.
        case silent
        /// Connections are reset, new ones, too.
        case cut
    }

    private struct State {
        var mode = Mode.open
        var isOver = false
    }

    private let listener: Int32
    private let port: UInt16
    private let serverPort: UInt16
    private let state: Shared

    /// What the threads of all connections look at.
    private final class Shared: Sendable {
        private let state = Mutex(State())
        var mode: Mode { state.withLock { $0.isOver ? .cut : $0.mode } }
        func set(_ mode: Mode) { state.withLock { $0.mode = mode } }
        func end() { state.withLock { $0.isOver = true } }
    }

    /// - Parameter url: the server's, with a port.
    init(to url: String) throws {
        guard let found = url.firstMatch(of: /@127\.0\.0\.1:(\d+)\//), let serverPort = UInt16(found.1) else {
            throw TestFailure("no port in a server's URL")
        }
        self.serverPort = serverPort
        port = UInt16(try Loopback.freePorts(1)[0])
        state = Shared()
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard LoopbackAddress.with(port, { bind(listener, $0, $1) }) == 0, listen(listener, 256) == 0 else {
            throw TestFailure("cannot listen on port \(port)")
        }
        let state = state
        Thread.detachNewThread { Self.serve(listener, serverPort, state) }
    }

    deinit {
        state.end()
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// The server's URL, by this way.
    func url(instead url: String) -> String { url.replacingOccurrences(of: ":\(serverPort)/", with: ":\(port)/") }

    func set(_ mode: Mode) { state.set(mode) }

    private static func serve(_ listener: Int32, _ serverPort: UInt16, _ state: Shared) {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard state.mode != .cut, LoopbackAddress.with(serverPort, { connect(server, $0, $1) }) == 0 else {
                reset(client)
                close(client)
                close(server)
                continue
            }
            let pair = Pair(client, server, state)
            Thread.detachNewThread { pair.forward(from: client, to: server) }
            Thread.detachNewThread { pair.forward(from: server, to: client) }
        }
    }

    /// The end of a connection is a reset, and no goodbye.
    private static func reset(_ socket: Int32) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
    }

    /// Both sides of one connection, with a thread for each direction.
    private final class Pair: Sendable {
        private let client: Int32
        private let server: Int32
        private let shared: Shared
        private let hasLost = Atomic(false)

        init(_ client: Int32, _ server: Int32, _ shared: Shared) {
            (self.client, self.server, self.shared) = (client, server, shared)
        }

        /// When both directions are through.
        deinit {
            close(client)
            close(server)
        }

        /// One direction. When it ends, so does the other.
        func forward(from source: Int32, to sink: Int32) {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                var waiting = pollfd(fd: source, events: Int16(POLLIN), revents: 0)
                let ready = poll(&waiting, 1, 100)
                let mode = shared.mode
                if mode == .cut || (mode != .silent && hasLost.load(ordering: .acquiring)) {
                    FaultProxy.reset(client)
                    FaultProxy.reset(server)
                    break
                }
                if ready == 0 { continue }
                let count = recv(source, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                if mode == .silent {
                    hasLost.store(true, ordering: .releasing)
                    continue
                }
                if case .delayed(let milliseconds) = mode { usleep(milliseconds * 1_000) }
                guard send(buffer, count, to: sink) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
        }

        private func send(_ bytes: [UInt8], _ count: Int, to sink: Int32) -> Bool {
            var sent = 0
            while sent < count {
                let written = bytes.withUnsafeBytes {
                    Glibc.send(sink, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard written > 0 else { return false }
                sent += written
            }
            return true
        }
    }
}

enum LoopbackAddress {
    /// Calls with 127.0.0.1 and a port, as the socket functions take it.
    static func with(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
