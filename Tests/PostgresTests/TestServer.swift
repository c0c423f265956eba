import Foundation
import Glibc

/// The URL of a superuser on a private cluster, which is started once per test process and removed when it ends.
func testDatabaseURL() async throws -> String { try await TestServer.url.value }

private enum TestServer {
    static let url = Task { try start() }

    /// Held for as long as this process lives: the shell reads it, and when it ends, however that comes about, stops and
    /// removes the cluster.
    private static let lifeline = Pipe()

    private static func start() throws -> String {
        let port = try freePort()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("postgres-tests-\(getpid())-\(port)").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", directory, String(port)]
        process.standardInput = lifeline.fileHandleForReading
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        // The shell marks readiness by a file, because the port opens before the server takes connections.
        for _ in 0..<600 {
            if FileManager.default.fileExists(atPath: directory + "/ready") {
                return "postgresql://postgres@127.0.0.1:\(port)/postgres?sslmode=disable"
            }
            guard process.isRunning else { break }
            usleep(100_000)
        }
        throw TestServerError(message: "PostgreSQL does not start")
    }

    private static let script = """
        bin=/usr/lib/postgresql/15/bin
        dir=$1; port=$2
        as=
        if [ "$(id -u)" = 0 ]; then as='setpriv --reuid=postgres --regid=postgres --clear-groups'; fi
        mkdir -p "$dir" && if [ -n "$as" ]; then chown postgres:postgres "$dir"; fi
        cd "$dir" || exit 1
        $as $bin/initdb --auth=trust --username=postgres --encoding=UTF8 --locale=C.UTF-8 --no-sync -D "$dir/data" || exit 1
        $as $bin/pg_ctl -D "$dir/data" -l "$dir/log" -w -t 60 -o "-p $port -c listen_addresses=127.0.0.1 \
        -c unix_socket_directories= -c fsync=off -c full_page_writes=off" start </dev/null
        if [ $? = 0 ]; then touch "$dir/ready"; read -r _; fi
        $as $bin/pg_ctl -D "$dir/data" -m immediate -w stop
        rm -rf "$dir"
        """

    private static func freePort() throws -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafeMutableBytes(of: &address) { bytes in
            let pointer = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
            return bind(socket, pointer, length) == 0 ? getsockname(socket, pointer, &length) : -1
        }
        guard outcome == 0 else { throw TestServerError(message: "no free port") }
        return UInt16(bigEndian: address.sin_port)
    }
}

private struct TestServerError: Error { var message: String }
