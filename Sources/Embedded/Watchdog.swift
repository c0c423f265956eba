internal import Glibc

/// How long servers and data live.
public enum Lifetime: Sendable {
    /// Servers and data end with the process that started them, however it ends. For tests.
    case throwAway
    /// Servers end with the process that started them, however it ends; the data stays.
    case owner
    /// Servers survive the process that started them, until another one finds and stops them.
    case detached
}

/// A shell that outlives us for a moment. It blocks on a pipe whose writing end only this process holds, so even SIGKILL lets it
/// read the end of file; then it ends the processes it was told of and removes the folders.
final class Watchdog: Sendable {
    private let child: Child
    private let pipeEnd: Int32

    init(programs: ServerPrograms) throws {
        var ends: [Int32] = [0, 0]
        guard GNU.makePipe(&ends, O_CLOEXEC) == 0 else { throw ServerFile.failure("Cannot make a pipe") }
        pipeEnd = ends[1]
        defer { close(ends[0]) }
        do {
            let shell = try programs.tool("sh", package: "dash")
            let path = programs.searchPath.joined(separator: ":")
            child = try Command(
                program: shell, arguments: ["-c", Self.script], environment: ["PATH": path], folder: "/", input: ends[0]
            )
            .start()
        } catch {
            close(ends[1])
            throw error
        }
    }

    deinit { close(pipeEnd) }

    func guardProcess(_ process: ProcessIdentity, signal: String) {
        tell("process \(process.pid) \(process.startTicks) \(signal)")
    }

    func guardFolder(_ path: String) { tell("folder \(path)") }

    /// Everything is stopped: the shell ends without doing anything.
    func dismiss() async {
        tell("done")
        _ = await poll(seconds: 5, until: { child.exitStatus != nil })
    }

    /// A line is shorter than PIPE_BUF, so it is written whole or not at all. A shell that is gone (EPIPE) guards nothing, and the
    /// signal of that write is blocked for it, as we cannot know what the process does about SIGPIPE.
    private func tell(_ line: String) {
        var blocked = sigset_t()
        var before = sigset_t()
        sigemptyset(&blocked)
        sigaddset(&blocked, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &blocked, &before)
        let bytes = Array((line + "\n").utf8)
        if write(pipeEnd, bytes, bytes.count) < 0, errno == EPIPE {
            var noWait = timespec()
            sigtimedwait(&blocked, nil, &noWait)
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    /// Processes are compared with their start time, as in ``ProcessIdentity``.
    private static let script = """
        trap '' HUP INT TERM
        processes= folders=
        newline='
        '
        while read -r kind what; do
            case $kind in
            process) processes="$processes$what$newline" ;;
            folder) folders="$folders$what$newline" ;;
            done) exit 0 ;;
            esac
        done
        is_alive() {
            IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
            ticks=$2
            set -- ${stat##*) }
            [ "$1" != Z ] && [ "${20}" = "$ticks" ]
        }
        # Signals whatever lives: with its own signal, or with the one given. Fails when nothing lives.
        signal_all() {
            found=1
            while read -r pid ticks signal; do
                [ -n "$pid" ] && is_alive "$pid" "$ticks" || continue
                found=0
                [ "$1" = none ] || kill -s "${1:-$signal}" "$pid"
            done <<END
        $processes
        END
            return $found
        }
        signal_all ''
        tries=0
        while signal_all none && [ $tries -lt 200 ]; do sleep 0.1; tries=$((tries + 1)); done
        signal_all KILL && sleep 0.2
        printf %s "$folders" | while IFS= read -r folder; do
            tries=0
            while rm -rf -- "$folder" 2>/dev/null; [ -e "$folder" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
        done
        """
}
