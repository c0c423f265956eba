internal import FoundationEssentials
internal import Glibc

/// `running.json` in a server's directory, mode 0600: what a later process needs to find, check and stop the server.
/// It is written as soon as there is a process, before it is ready. After a crash it stays behind, and the process it names is dead.
enum RunningRecord {
    /// nil also for one that cannot be read: the process that began to write it did not live to be ready.
    static func read<Record: Decodable>(_ type: Record.Type, in directory: String) -> Record? {
        ServerFile.read(path(directory)).flatMap { try? JSONDecoder().decode(type, from: Data($0.utf8)) }
    }

    static func write(_ record: some Encodable, in directory: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try ServerFile.write(String(decoding: encoder.encode(record), as: UTF8.self), to: path(directory))
    }

    static func remove(in directory: String) { unlink(path(directory)) }

    private static func path(_ directory: String) -> String { directory + "/running.json" }
}

/// Held while servers are started in a directory, so that two processes cannot start them there at once.
struct DirectoryLock: ~Copyable {
    private let descriptor: Int32

    init(_ directory: String) throws {
        descriptor = open(directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ServerFile.failure("Cannot open \(directory)/lock") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw EmbeddedError("Another process is just starting servers in \(directory).")
        }
    }

    /// The end of its life; naming it keeps the lock until then.
    consuming func release() {}

    deinit { close(descriptor) }
}
