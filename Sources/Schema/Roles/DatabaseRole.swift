/// What a role of the database is for, beside the owner, who migrates it and may do everything in it.
public enum DatabaseRole: String, Sendable, CaseIterable {
    /// For workers: reads and writes rows, owns nothing, and has no DDL of its own.
    case worker
    /// For commands that show something: reads, and no secrets.
    case reader
    /// For the HTTP API: reads, also what a credential is checked with, and writes no more than its own jobs, sessions and counts.
    case api
}

/// A role that ``Migrator`` is to give its grants.
public struct RoleRequest: Sendable {
    public enum Origin: Sendable {
        /// It was made by somebody else, with a password or a certificate of its own.
        case given
        /// It is made if it is not there. A password is set whether it was there or not; without one, a new role gets a random one.
        case made(password: String?)
    }

    public let role: DatabaseRole
    /// nil: the database's name and the role's, as in `tenantry_worker`.
    public let name: String?
    public let origin: Origin

    public init(_ role: DatabaseRole, name: String? = nil, _ origin: Origin) {
        self.role = role
        self.name = name
        self.origin = origin
    }

    /// 32 letters and digits, of which none is taken for another: 186 bits.
    public static func randomPassword() -> String {
        let letters = Array("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return String((0..<32).map { _ in letters.randomElement()! })
    }
}

/// A role that has its grants now.
public struct GrantedRole: Sendable, Equatable {
    public let role: DatabaseRole
    public let name: String
    /// The random password that it got in this run. It is kept nowhere else.
    public let newPassword: String?
}

/// Why a role cannot have the grants of a worker, a reader or the API.
public enum RoleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// It may do more than its place allows, or is not there at all; `reason` goes on from "role x".
    case unfit(name: String, reason: String)
    /// The place is another's, who still has the grants.
    case placeTaken(DatabaseRole, by: String, wanted: String)
    /// Two places were to be one role's.
    case oneForBoth(name: String)
    /// The owner may not make roles.
    case mayNotMake(name: String)

    public var description: String {
        switch self {
        case .unfit(let name, let reason): "role \(name) \(reason)"
        case .placeTaken(let role, let holder, let wanted):
            """
            the \(role.rawValue)'s role of this database is \(holder), which still has its grants; to have \(wanted) in its place, run \
            "drop owned by" and "drop role" for \(holder) first
            """
        case .oneForBoth(let name):
            "role \(name) cannot have two places: workers, readers and the API are kept apart by what their roles may"
        case .mayNotMake(let name):
            """
            the owner may not make role \(name): have an administrator of the server make it, and name it with --worker-role, \
            --reader-role or --api-role instead of --roles
            """
        }
    }
}
