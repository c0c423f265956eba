internal import Glibc

/// The user PostgreSQL runs as. It refuses root, so root lends it Debian's user `postgres`; anyone else runs it as himself.
struct ServerAccount {
    let user: uid_t
    let group: gid_t
    /// What stands before a command line to change to the account; the process keeps its number.
    private let prefix: [String]

    init(programs: ServerPrograms) throws {
        guard geteuid() == 0 else {
            (user, group, prefix) = (geteuid(), getegid(), [])
            return
        }
        guard let entry = getpwnam("postgres") else {
            throw EmbeddedError("PostgreSQL refuses to run as root, and there is no user postgres.", missingPackage: "postgresql")
        }
        (user, group) = (entry.pointee.pw_uid, entry.pointee.pw_gid)
        let setpriv = try programs.tool("setpriv", package: "util-linux")
        prefix = [setpriv, "--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"]
    }

    func command(_ program: String, _ arguments: [String], folder: String) -> Command {
        let line = prefix + [program] + arguments
        // C.UTF-8 keeps the server's messages in English, whatever the user's own language: we read them.
        let environment = ["PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": folder]
        return Command(program: line[0], arguments: Array(line.dropFirst()), environment: environment, folder: folder)
    }

    /// Whether the account can go through every folder on the way to `path`.
    func canReach(_ path: String) -> Bool {
        guard geteuid() == 0 else { return true }
        var folder = ""
        for name in path.split(separator: "/") {
            folder += "/" + name
            var status = stat()
            guard stat(folder, &status) == 0 else { return false }
            let needed: mode_t = status.st_uid == user ? 0o100 : status.st_gid == group ? 0o010 : 0o001
            if status.st_mode & needed == 0 { return false }
        }
        return true
    }

    func own(_ path: String) throws {
        guard geteuid() == 0 else { return }
        guard chown(path, user, group) == 0 else { throw ServerFile.failure("Cannot give \(path) to PostgreSQL's user") }
    }
}
