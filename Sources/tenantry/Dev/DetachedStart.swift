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
                let console = folder.variable("TENANTRY_API_URL").map { "; console: \($0)" } ?? ""
                return printLine("ready. Variables: \(folder.environmentFile) (. .tenantry/env)\(console); log: \(folder.log)")
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
        // The child must not inherit our other descriptors: a caller who waits until a pipe ends would wait for the child.
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
