internal import Glibc

/// Functions of the C library that its headers declare under `_GNU_SOURCE` alone, which Swift's module of them is made without.
enum GNU {
    typealias DescriptorAction = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    typealias PathAction = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, UnsafePointer<CChar>) -> Int32
    typealias MakePipe = @convention(c) (UnsafeMutablePointer<Int32>, Int32) -> Int32
    typealias MakeMemoryFile = @convention(c) (UnsafePointer<CChar>, UInt32) -> Int32

    /// Since glibc 2.34: the child closes this descriptor and all above it.
    static let addCloseFrom = find("posix_spawn_file_actions_addclosefrom_np", as: DescriptorAction.self)
    /// Since glibc 2.29: the child's working directory.
    static let addChangeFolder = find("posix_spawn_file_actions_addchdir_np", as: PathAction.self)
    /// memfd_create(2): a file without a name.
    static let makeMemoryFile = find("memfd_create", as: MakeMemoryFile.self)

    /// pipe2(2): both ends are closed on exec from their first moment.
    static let makePipe = find("pipe2", as: MakePipe.self)

    /// `POSIX_SPAWN_SETSID`, since glibc 2.26: the child leads a session of its own.
    static let ownSession: Int32 = 0x80
    /// `MFD_CLOEXEC`.
    static let closeOnExec: UInt32 = 1

    private static func find<Function>(_ name: String, as type: Function.Type) -> Function {
        guard let symbol = dlsym(nil, name) else { fatalError("the C library has no \(name): glibc 2.34 or later is needed") }
        return unsafeBitCast(symbol, to: type)
    }
}
