internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `admin.remove`: removes an administrator of the tenant if the header names one or the sender is limited to one, else of the account.
    static func adminRemove() -> any JobHandler {
        SingleJobHandler(AdminRemove.self) { payload, job, database in
            let domain = try Domain(job, on: &database)
            let found = try database.query(AdminSQL.find, domain.account, domain.tenant, payload.email.lowercased())
            guard let (administrator, email, role) = found.first((String, String, String).self) else {
                throw Rejection.invalid("/email", "names no administrator of \(domain)")
            }
            // The credentials come first: once the person is deleted, nothing says which were theirs.
            _ = try database.query(AdminSQL.revoke, administrator)
            _ = try database.query(AdminSQL.remove, administrator)
            return Reply(["email": .string(email), "role": .string(role)])
        }
    }
}
