public import Contract
internal import Glibc
internal import Synchronization

/// A server on 127.0.0.1 that webhooks are called at. What it answers follows from the path, and is up to the test.
public final class WebhookReceiver: Sendable {
    /// A call that came.
    public struct Call: Sendable {
        public let path: String
        /// Names in small letters.
        public let headers: [String: String]
        public let body: [UInt8]
        /// Which of the receiver's connections it came on.
        public let connection: Int

        public var id: String { headers["webhook-id"] ?? "" }
        public var json: JSONValue { (try? JSONValue(parsing: body)) ?? .null }
    }

    public enum Action: Sendable {
        case answer(Int, [String: String] = [:])
        /// An answer after so long.
        case late(Double)
        /// Nothing, ever.
        case silence
        /// The connection ends.
        case hangUp
        /// 200, and a body of so many bytes.
        case flood(Int)
    }

    private struct State {
        var calls: [Call] = []
        var connections = 0
        var floodedBytes = 0
        var isOver = false
    }

    public let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let respond: @Sendable (Call) -> Action

    public init(_ respond: @escaping @Sendable (Call) -> Action = { _ in .answer(200) }) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 1_024) == 0
                    ? getsockname(listener, pointer, &length) : -1
            }
        }
        guard code == 0 else { throw TestFailure("the receiver cannot listen") }
        self.respond = respond
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        start { [self] in accept() }
    }

    public var url: String { "http://127.0.0.1:\(port)" }
    public var calls: [Call] { state.withLock { $0.calls } }
    public var connections: Int { state.withLock { $0.connections } }
    /// How much of its floods was taken.
    public var floodedBytes: Int { state.withLock { $0.floodedBytes } }

    /// The calls of a path, in order.
    public func calls(at path: String) -> [Call] { calls.filter { $0.path == path } }

    /// Nothing listens here any more.
    public func stop() {
        state.withLock { $0.isOver = true }
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func start(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            {
                Unmanaged<ThreadBody>.fromOpaque($0!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }

    private func accept() {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            let number = state.withLock { state in
                state.connections += 1
                return state.connections
            }
            start { [self] in
                while let call = read(connection, number), answer(call, connection) {}
                close(connection)
            }
        }
    }

    private func read(_ connection: Int32, _ number: Int) -> Call? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var end: Int?
        var length = 0
        while true {
            if end == nil, let found = Self.endOfHead(bytes) {
                end = found
                length = Self.fields(of: bytes[..<found]).headers["content-length"].flatMap { Int($0) } ?? 0
            }
            if let end, bytes.count >= end + length {
                let (path, headers) = Self.fields(of: bytes[..<end])
                return Call(path: path, headers: headers, body: Array(bytes[end..<end + length]), connection: number)
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { Array(bytes[($0 - 4)..<$0]) == [13, 10, 13, 10] }
    }

    private static func fields(of head: ArraySlice<UInt8>) -> (path: String, headers: [String: String]) {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        let words = lines.first?.split(separator: " ") ?? []
        return (words.count > 1 ? String(words[1]) : "", headers)
    }

    /// - Returns: whether another call may come on this connection.
    private func answer(_ call: Call, _ connection: Int32) -> Bool {
        state.withLock { $0.calls.append(call) }
        switch respond(call) {
        case .answer(let status, let headers): return answer(status, headers, connection)
        case .late(let seconds):
            usleep(UInt32(seconds * 1_000_000))
            return answer(200, [:], connection)
        case .silence:
            while !state.withLock({ $0.isOver }) { usleep(20_000) }
            return false
        case .hangUp: return false
        case .flood(let bytes):
            guard write("HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\n\r\n", connection) else { return false }
            let part = String(repeating: "x", count: 1 << 16)
            for _ in 0..<(bytes >> 16) {
                guard write(part, connection) else { return false }
                state.withLock { $0.floodedBytes += 1 << 16 }
            }
            return false
        }
    }

    private func answer(_ status: Int, _ headers: [String: String], _ connection: Int32) -> Bool {
        let lines = headers.map { "\($0.key): \($0.value)\r\n" }.joined()
        return write("HTTP/1.1 \(status) \(status)\r\n\(lines)Content-Length: 2\r\n\r\nok", connection)
    }

    private func write(_ text: String, _ connection: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
