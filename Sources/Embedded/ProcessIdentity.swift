internal import Glibc

/// A process that cannot be mistaken for a later one with the same number: its start time, in clock ticks, and the boot belong to it.
struct ProcessIdentity: Codable, Sendable, Hashable {
    let pid: Int32
    let startTicks: String
    let bootID: String

    /// - Returns: nil if there is no such process.
    init?(pid: Int32) {
        guard let status = Self.status(of: pid) else { return nil }
        self.pid = pid
        self.startTicks = status.startTicks
        self.bootID = Self.currentBootID
    }

    /// Still the same program, and not a zombie whose parent has not read its end yet.
    var isAlive: Bool {
        guard bootID == Self.currentBootID, let status = Self.status(of: pid) else { return false }
        return status.startTicks == startTicks && status.state != "Z" && status.state != "X"
    }

    func send(_ signal: Int32) {
        if isAlive { kill(pid, signal) }
    }

    /// Sends a signal, and SIGKILL to what has not ended after `graceSeconds`.
    func end(_ signal: Int32, graceSeconds: Double) async -> Bool {
        send(signal)
        if await poll(seconds: graceSeconds, until: { !isAlive }) { return true }
        send(SIGKILL)
        return await poll(seconds: 5, until: { !isAlive })
    }

    private static let currentBootID = ServerFile.read("/proc/sys/kernel/random/boot_id") ?? ""

    /// Fields 3 and 22 of `/proc/<pid>/stat` (proc_pid_stat(5)); the program's name before them may itself hold brackets and spaces.
    private static func status(of pid: Int32) -> (state: Substring, startTicks: String)? {
        guard let line = ServerFile.read("/proc/\(pid)/stat"), let nameEnd = line.lastIndex(of: ")") else { return nil }
        let fields = line[line.index(after: nameEnd)...].split(separator: " ")
        return fields.count > 19 ? (fields[0], String(fields[19])) : nil
    }
}
