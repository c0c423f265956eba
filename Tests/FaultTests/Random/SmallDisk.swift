internal import Foundation
internal import Glibc
internal import TestSupport

/// A file system of a few hundred megabytes in memory, that can be filled to the last byte. It goes away with the mount namespace that the tests
/// run in (`deploy/test` makes one where it is root), however they end.
final class SmallDisk {
    let folder: String
    private var ballast: String { folder + "/ballast" }

    /// Whether this process may mount something that nobody else sees.
    static var isPossible: Bool {
        ProcessInfo.processInfo.environment["TENANTRY_TESTS_MAY_MOUNT"] != nil && geteuid() == 0
    }

    init(_ folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard mount("tmpfs", folder, "tmpfs", 0, "size=384m,mode=0711") == 0 else {
            throw TestFailure("no file system can be mounted at \(folder): \(String(cString: strerror(errno)))")
        }
    }

    deinit {
        umount2(folder, Int32(MNT_DETACH))
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Leaves not a byte free.
    func fill() throws {
        let file = open(ballast, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw TestFailure("\(ballast) cannot be made") }
        defer { close(file) }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        for size in [1 << 20, 4_096] {
            while write(file, zeros, size) == size {}
        }
    }

    func empty() { unlink(ballast) }
}
