internal import Contract
internal import Jobs
public import Postgres

/// Suspends and resumes an account straight in the database: no job of a suspended account is accepted, whoever of its people sends it.
public enum AccountSuspension {
    /// - Parameters:
    ///   - isSuspended: what it is to be. One that is so already stays as it is.
    ///   - actor: whom the audit log names.
    /// - Throws: `Rejection` (`account_unknown`) where there is no such account; `PostgresError`.
    public static func set(
        _ slug: String, isSuspended: Bool, by actor: String, on database: inout Connection
    ) throws {
        try database.transaction { database in
            guard let state = try database.query(SQL.hold, slug).first(String.self) else {
                throw Rejection(.accountUnknown, "there is no account \(slug)")
            }
            let wanted = isSuspended ? "suspended" : "active"
            guard state != wanted else { return }
            _ = try database.query(SQL.set, slug, wanted)
            let id = "command-\(SystemClock.nowMicroseconds())"
            try Outbox.append(
                [.event(.accountUpdated, subject: [slug], id: id, ["account": .string(slug)])], on: &database)
            try AuditLog.append(
                .init(
                    command: (isSuspended ? AuditedDeed.accountSuspend : .accountResume).rawValue, account: slug, actor: actor,
                    jobID: id,
                    details: ["result": ["account": .string(slug), "state": .string(wanted)]]),
                on: &database)
        }
    }

    enum SQL {
        static let hold: Statement = "select state from tenantry.accounts where slug = $1 for no key update"
        static let set: Statement = "update tenantry.accounts set state = $2, updated_at = now() where slug = $1"
    }
}
