internal import Foundation
internal import Glibc
internal import TestSupport

/// A connection over which a test sends what no client would.
final class RawConnection {
    private let descriptor: Int32
    /// What has come.
    private(set) var text = ""
    /// Whether the other end has closed it.
    private(set) var isEnded = false

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let outcome = withUnsafeBytes(of: &address) { bytes in
            connect(descriptor, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard outcome == 0 else { throw TestFailure("no connection to port \(port): \(errno)") }
    }

    deinit { close(descriptor) }

    /// Sends all of it, also where the other end takes it slowly.
    func send(_ text: String) async throws {
        var left = Array(text.utf8)[...]
        try await eventually("\(left.count) bytes are taken") {
            let count = left.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            // Whoever has closed it takes nothing any more.
            if count < 0, errno != EAGAIN { left = [] } else if count > 0 { left = left.dropFirst(count) }
            receive()
            return left.isEmpty
        }
    }

    /// Takes what has come.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !isEnded {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0, errno == EAGAIN { return }
            guard count > 0 else {
                isEnded = true
                return
            }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    /// Waits until the other end closes it.
    ///
    /// - Parameter step: done before each look.
    func end(_ step: () async throws -> Void = {}) async throws {
        do {
            try await eventually("the connection ends") {
                try await step()
                receive()
                return isEnded
            }
        } catch {
            throw TestFailure("\(error); what has come: \(text.prefix(500))")
        }
    }

    /// The status codes of the answers that have come.
    var statuses: [Int] { text.matches(of: /HTTP\/1\.1 (\d{3})/).compactMap { Int($0.1) } }
}
