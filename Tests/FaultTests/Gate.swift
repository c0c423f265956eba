internal import Embedded
internal import Foundation
internal import Glibc
internal import TestSupport

/// A way to the broker on which one AMQP method does not get through: the connection that tries it stays open, and silent from then on.
/// So a worker can be held, and killed, at an exact point of a job's way.
final class Gate: Sendable {
    /// Class and method, as on the wire (AMQP 0-9-1, section 1.8).
    enum Method: UInt32 {
        case publish = 0x003C_0028
        case acknowledge = 0x003C_0050
    }

    private let listener: Int32
    private let port: UInt16
    private let brokerPort: UInt16
    private let closed: Method

    /// - Parameter url: the broker's, with a port.
    init(to url: String, closedTo method: Method) throws {
        guard let brokerPort = URLComponents(string: url)?.port else { throw TestFailure("no port in \(url)") }
        self.brokerPort = UInt16(brokerPort)
        closed = method
        port = UInt16(try Loopback.freePorts(1)[0])
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard LoopbackAddress.with(port, { bind(listener, $0, $1) }) == 0, listen(listener, 64) == 0 else {
            throw TestFailure("cannot listen on port \(port)")
        }
        let accepting = listener
        Thread.detachNewThread { Self.serve(accepting, UInt16(brokerPort), method) }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// The broker's URL, by way of the gate.
    func url(instead url: String) -> String {
        url.replacingOccurrences(of: ":\(brokerPort)/", with: ":\(port)/")
    }

    private static func serve(_ listener: Int32, _ brokerPort: UInt16, _ closed: Method) {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            let broker = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard LoopbackAddress.with(brokerPort, { connect(broker, $0, $1) }) == 0 else {
                close(client)
                close(broker)
                continue
            }
            Thread.detachNewThread {
                // When either side ends, so does the other; the thread of the way out closes both.
                while let bytes = receive(broker, atMost: 65_536), send(bytes, to: client) {}
                shutdown(client, Int32(SHUT_RDWR))
            }
            Thread.detachNewThread {
                forward(from: client, to: broker, closed)
                shutdown(client, Int32(SHUT_RDWR))
                shutdown(broker, Int32(SHUT_RDWR))
            }
        }
    }

    /// Frame by frame: type, channel, size, payload, end; before them the eight bytes of the protocol's header.
    private static func forward(from client: Int32, to broker: Int32, _ closed: Method) {
        guard let greeting = receive(client, exactly: 8), send(greeting, to: broker) else { return }
        var isHeld = false
        while let head = receive(client, exactly: 7) {
            let size = Int(number(head[3..<7]))
            guard let rest = receive(client, exactly: size + 1) else { return }
            if head[0] == 1, size >= 4, number(rest[0..<4]) == closed.rawValue { isHeld = true }
            guard isHeld || send(head + rest, to: broker) else { return }
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

    private static func receive(_ descriptor: Int32, atMost count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = recv(descriptor, &bytes, count, 0)
        return read > 0 ? Array(bytes[..<read]) : nil
    }

    private static func receive(_ descriptor: Int32, exactly count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let more = receive(descriptor, atMost: count - bytes.count) else { return nil }
            bytes += more
        }
        return bytes
    }

    private static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
