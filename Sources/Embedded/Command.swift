internal import Glibc
internal import Synchronization

/// A program to start: in a session of its own, so that Ctrl-C in our terminal does not reach it, with no descriptor of ours
/// but its own standard three, and with only the environment given here.
struct Command {
    var program: String
    var arguments: [String]
    var environment: [String: String] = [:]
    var folder: String
    /// Standard input; nil is `/dev/null`.
    var input: Int32?
    /// Standard output and error.
    var output: Output = .nowhere

    enum Output {
        case nowhere
        case appending(path: String)
        case descriptor(Int32)
    }

    /// Runs to its end and returns what it wrote.
    /// - Throws: ``EmbeddedError`` if it ends with another status than 0 or not in time.
    func run(deadlineSeconds: Double) async throws -> String {
        let sink = GNU.makeMemoryFile("output", GNU.closeOnExec)
        guard sink >= 0 else { throw ServerFile.failure("Cannot catch the output of \(program)") }
        defer { close(sink) }
        var command = self
        command.output = .descriptor(sink)
        let child = try command.start()
        let ended = await poll(seconds: deadlineSeconds, everyMilliseconds: 5, until: { child.exitStatus != nil })
        if !ended {
            child.identity?.send(SIGKILL)
            try Task.checkCancellation()
        }
        lseek(sink, 0, SEEK_SET)
        let text = ServerFile.readToEnd(sink) ?? ""
        guard child.exitStatus == 0 else {
            throw EmbeddedError("\(program) " + (ended ? "failed: \(text)" : "did not end within \(deadlineSeconds) s: \(text)"))
        }
        return text
    }

    /// - Throws: ``EmbeddedError`` if the program cannot be started.
    func start() throws -> Child {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        switch output {
        case .nowhere: posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        case .appending(let path): posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, 1)
        }
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        _ = GNU.addCloseFrom(&actions, 3)
        _ = GNU.addChangeFolder(&actions, folder)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // We ignore SIGPIPE and may block or ignore others; a server must find them as it expects them.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | GNU.ownSession))

        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in argv + envp { free(word) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw EmbeddedError("Cannot start \(program): \(String(cString: strerror(code)))") }
        return Child(pid: pid)
    }
}

/// A process of ours. A thread waits for its end, so that it never stays a zombie, whoever stops it.
final class Child: Sendable {
    /// nil if it ended before it could be looked at.
    let identity: ProcessIdentity?
    private let pid: pid_t
    private let status = Mutex<Int32?>(nil)

    init(pid: pid_t) {
        self.pid = pid
        // Read before the waiting begins: until then the number cannot be given to another process.
        identity = ProcessIdentity(pid: pid)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self).toOpaque()
        let code = pthread_create(&thread, nil, { Unmanaged<Child>.fromOpaque($0!).takeRetainedValue().awaitEnd() }, context)
        precondition(code == 0, "no thread left to wait for a child process")
        pthread_detach(thread)
    }

    /// The exit code, or 128 plus the signal that ended it; nil while it runs.
    var exitStatus: Int32? { status.withLock { $0 } }

    private func awaitEnd() -> UnsafeMutableRawPointer? {
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
        let signal = raw & 0x7f
        let code = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
        status.withLock { $0 = code }
        return nil
    }
}
