// Starts a pair, tells where it is, and waits to be killed, or ends at once: what the tests of `Embedded` do to an owner.
internal import Embedded
internal import Glibc

let arguments = CommandLine.arguments
if arguments.count == 3, arguments[1] == "detached" {
    var options = EmbeddedServers.Options()
    options.lifetime = .detached
    let servers = try await EmbeddedServers.start(in: arguments[2], options)
    print(servers.directory)
    fflush(nil)
} else {
    let servers = try await EmbeddedServers.temporary()
    print(servers.directory)
    fflush(nil)
    while true { pause() }
}
