internal import FoundationEssentials
internal import Glibc

/// Lines on their way to standard output or a file, many in one write.
final class LineSink {
    private static let bufferBytes = 1 << 18
    private let path: String?
    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// A file is written under this name, and renamed when it is complete.
    private var partPath: String? { path.map { $0 + ".part" } }

    init(_ path: String?) throws {
        self.path = path
        guard let path else {
            descriptor = STDOUT_FILENO
            return
        }
        descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure("\(path) cannot be written: \(systemError())") }
        buffer.reserveCapacity(Self.bufferBytes)
    }

    deinit {
        guard let partPath else { return }
        close(descriptor)
        unlink(partPath)
    }

    func write(_ line: UnsafeRawBufferPointer) throws {
        buffer.append(contentsOf: line)
        if buffer.count >= Self.bufferBytes { try flush() }
    }

    func finish() throws {
        try flush()
        guard let path, let partPath else { return }
        guard fsync(descriptor) == 0, rename(partPath, path) == 0 else {
            throw Failure("\(path) cannot be written: \(systemError())")
        }
    }

    private func flush() throws {
        var written = 0
        while written < buffer.count {
            let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure("\(path ?? "standard output") cannot be written: \(systemError())") }
            written += count
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
