internal import ArgumentParser
internal import Contract
internal import Glibc
internal import Postgres
internal import Tenants

extension TenantCommand {
    struct Suspend: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accepts no further job on a tenant, from the next batch of each lane on; without the broker.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String

        func run(with settings: Settings) throws {
            try TenantCommand.set(tenant, isSuspended: true, settings)
        }
    }

    struct Resume: ServerCommand {
        static let configuration = CommandConfiguration(
            abstract: "Accepts jobs on a suspended tenant again; without the broker.")

        @OptionGroup var server: ServerOptions
        @Argument(help: "The tenant's slug.")
        var tenant: String

        func run(with settings: Settings) throws {
            try TenantCommand.set(tenant, isSuspended: false, settings)
        }
    }

    fileprivate static func set(_ tenant: String, isSuspended: Bool, _ settings: Settings) throws {
        var database = try Connection(try settings.database(name: "tenantry tenant"))
        try orFailure { try TenantSuspension.set(tenant, isSuspended: isSuspended, by: commandActor(), on: &database) }
        print("tenant \(tenant) is \(isSuspended ? "suspended" : "active")")
    }
}

/// What a room refuses, as the one sentence that a command ends with.
func orFailure(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let rejection as Rejection {
        throw Failure(rejection.message)
    }
}

/// Whom the audit log names for what a command does: the user of this machine.
func commandActor() -> String {
    guard let entry = getpwuid(getuid()) else { return "uid \(getuid())" }
    return String(cString: entry.pointee.pw_name)
}
