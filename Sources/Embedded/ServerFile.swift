internal import FoundationEssentials
internal import Glibc

/// The small files around a server: passwords, records, logs.
enum ServerFile {
    /// The whole text of a file, also of one under `/proc` whose size is not known beforehand; nil if it cannot be read.
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return readToEnd(descriptor)
    }

    static func readToEnd(_ descriptor: Int32) -> String? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Replaces a file in one step, so that a reader sees the old text or the new one; mode 0600 unless told.
    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("Cannot write \(draft)") }
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("Cannot write \(draft)") }
            bytes = bytes.dropFirst(count)
        }
        guard rename(draft, path) == 0 else { throw failure("Cannot write \(path)") }
    }

    /// What the file holds, or what `make` gives the first time: names and passwords that outlive a restart.
    static func kept(_ path: String, mode: mode_t = 0o600, make: () -> String) throws -> String {
        if let text = read(path), !text.isEmpty { return text }
        let text = make()
        try write(text, to: path, mode: mode)
        return text
    }

    /// Makes a folder and those above it; `mode` is set on the last one, also if it was there.
    static func makeFolder(_ path: String, mode: mode_t = 0o700) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw EmbeddedError("Cannot make the folder \(path): \(error)")
        }
        guard chmod(path, mode) == 0 else { throw failure("Cannot set the mode of \(path)") }
    }

    /// Removes a folder; a server's last child may still be writing there, so a few times if need be.
    static func removeFolder(_ path: String) async throws {
        let gone = await poll(seconds: 5) {
            // Whether it went is looked at below.
            try? FileManager.default.removeItem(atPath: path)
            return access(path, F_OK) != 0
        }
        guard gone else { throw EmbeddedError("Cannot remove the folder \(path)") }
    }

    static func lastLines(of path: String, count: Int) -> [String] {
        (read(path) ?? "").split(separator: "\n").suffix(count).map(String.init)
    }

    /// Letters and digits alone, so that it can stand in a URL, a shell word and a configuration file as it is.
    static func randomWord(length: Int) -> String {
        String((0..<length).map { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement()! })
    }

    static func failure(_ what: String) -> EmbeddedError { EmbeddedError("\(what): \(String(cString: strerror(errno)))") }
}

/// Asks every few milliseconds until the condition holds: true then, false when the time is over or the task is cancelled.
func poll(seconds: Double, everyMilliseconds: Int = 20, until condition: () -> Bool) async -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !condition() {
        if ContinuousClock.now >= deadline { return false }
        do { try await Task.sleep(for: .milliseconds(everyMilliseconds)) } catch { return condition() }
    }
    return true
}

/// Runs to its end whatever becomes of the caller: a cancelled task must still be able to stop its servers.
func shielded<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
    try await Task { try await body() }.value
}
