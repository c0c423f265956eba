internal import Glibc

/// Asks the `/ready` of a worker or the API until it says yes.
struct HealthProbe {
    let port: String

    /// - Returns: false when the condition ended first.
    func waitUntilReady(whileTrue goesOn: () -> Bool) async throws -> Bool {
        while goesOn() {
            if isReady() { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }

    /// One request over a plain socket: the answer's first line is all that matters.
    private func isReady() -> Bool {
        guard let port = UInt16(port) else { return false }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return false }
        let request = "GET /ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        guard write(descriptor, request, request.utf8.count) == request.utf8.count else { return false }
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(descriptor, &buffer, buffer.count)
        return count > 12 && String(decoding: buffer[..<count], as: UTF8.self).hasPrefix("HTTP/1.1 200")
    }
}
