internal import Foundation
internal import Glibc
internal import Synchronization

/// Starts `tenantry dev` as a process of its own and waits until it is ready.
struct DetachedStart {
    let folder: DevFolder
    let arguments: [String]

    func run() async throws {
        try folder.prepare()
        let pid = try spawn()
        for _ in 0..<1_800 {
            if folder.isReady(pid) {
                return printLine("ready. Variables: \(folder.environmentFile) (. .tenantry/env); log: \(folder.log)")
            }
            var status: Int32 = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                throw Failure("it did not start; the end of \(folder.log):\n\(logTail())")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        kill(pid, SIGTERM)
        throw Failure("not ready within three minutes; see \(folder.log)")
    }

    /// In a session of its own, so that the terminal's end does not end it.
    private func spawn() throws -> Int32 {
        // Nor may it hold on to what our caller waits for the end of.
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
        let log = open(folder.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard log >= 0 else { throw Failure("\(folder.log) cannot be written: \(systemError())") }
        defer { close(log) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, log, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, log, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, 0x80)  // POSIX_SPAWN_SETSID, which the module map leaves out
        let words = (["tenantry"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid: Int32 = 0
        let code = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, words, environ)
        guard code == 0 else { throw Failure("tenantry cannot be started: \(systemError(code))") }
        return pid
    }

    private func logTail() -> String {
        let text = FileManager.default.contents(atPath: folder.log).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return text.split(separator: "\n").suffix(15).joined(separator: "\n")
    }
}

/// Set once, from a signal's handler; read by others.
final class RaisedFlag: Sendable {
    private let flag = Atomic(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}

/// Asks a worker's `/ready` until it says yes.
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
