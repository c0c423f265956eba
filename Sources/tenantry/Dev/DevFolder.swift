internal import FoundationEssentials
internal import Glibc

/// What `tenantry dev` keeps in its folder.
struct DevFolder {
    let path = FileManager.default.currentDirectoryPath + "/.tenantry"

    var servers: String { path + "/servers" }
    var log: String { path + "/dev.log" }
    var environmentFile: String { path + "/env" }
    private var pidFile: String { path + "/dev.pid" }
    private var readyFile: String { path + "/dev.ready" }

    func prepare() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        // PostgreSQL runs as another user, who must be able to pass through this folder to its data.
        guard chmod(path, 0o711) == 0 else { throw Failure("\(path) cannot be made passable: \(systemError())") }
    }

    /// The process that runs the session, if one does.
    func runningPID() -> Int32? {
        guard let text = contents(pidFile) else { return nil }
        let words = text.split(separator: " ")
        guard words.count == 2, let pid = Int32(words[0]), Self.startTime(of: pid) == String(words[1]) else { return nil }
        return pid
    }

    static func alreadyRunning(_ pid: Int32?) -> Failure {
        Failure("already running\(pid.map { " as process \($0)" } ?? ""); stop it with `tenantry dev stop`")
    }

    /// Makes this process the folder's session, for as long as it lives: of two that start at once, one gets it.
    func claim() throws {
        try prepare()
        let lock = open(path + "/dev.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw Failure("\(path)/dev.lock cannot be opened: \(systemError())") }
        // Left open: the lock ends with the process.
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { throw Self.alreadyRunning(runningPID()) }
        forgetProcess()
        try write("\(getpid()) \(Self.startTime(of: getpid()) ?? "")", to: pidFile)
    }

    func noteReady() throws { try write("\(getpid())", to: readyFile) }
    func isReady(_ pid: Int32) -> Bool { contents(readyFile) == "\(pid)" }

    func forgetProcess() {
        unlink(pidFile)
        unlink(readyFile)
    }

    func remove() throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        try FileManager.default.removeItem(atPath: path)
    }

    /// The value of a variable in `.tenantry/env`.
    func variable(_ name: String) -> String? {
        contents(environmentFile)?.split(separator: "\n").first { $0.hasPrefix("\(name)=") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }

    func writeEnvironment(_ variables: [(name: String, value: String)]) throws {
        let lines = variables.map { "\($0.name)=\($0.value)\n" }.joined()
        try write(lines + "export \(variables.map(\.name).joined(separator: " "))\n", to: environmentFile)
    }

    func waitForEnd(of pid: Int32, seconds: Int) async throws {
        for _ in 0..<seconds * 10 {
            guard runningPID() == pid else { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw Failure("process \(pid) did not end within \(seconds) seconds; see \(log)")
    }

    private func contents(_ file: String) -> String? {
        FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Only the owner reads it.
    private func write(_ text: String, to file: String) throws {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("\(file) cannot be written: \(systemError())") }
        defer { close(descriptor) }
        var text = text
        let count = text.utf8.count
        let written = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == count else { throw Failure("\(file) cannot be written: \(systemError())") }
    }

    /// Field 22 of /proc/<pid>/stat. A later process under the same number has another one.
    private static func startTime(of pid: Int32) -> String? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        guard let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z" else { return nil }
        return String(fields[19])
    }
}
