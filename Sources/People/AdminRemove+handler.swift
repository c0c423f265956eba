internal import Contract
internal import Jobs
internal import Postgres

extension People {
    /// `admin.remove`: of the account or, with the header tenant or from that tenant's administrator, of the tenant.
    static func adminRemove() -> any JobHandler {
        SingleJobHandler(AdminRemove.self) { payload, job, database in
            let domain = try Domain(job, on: &database)
            var address = Parameters()
            address.append(domain.account)
            address.append(domain.tenant)
            address.append(payload.email.lowercased())
            let found = try database.query(AdminSQL.find, address)
            guard found.count == 1 else {
                let place = domain.tenant.map { "tenant \($0)" } ?? "account \(domain.account)"
                throw Rejection.invalid("/email", "names no administrator of \(place)")
            }
            var administrator = Parameters()
            administrator.append(found.text(0, 0))
            // Withdrawn first: without the person, nothing tells whose they were.
            _ = try database.query(AdminSQL.revoke, administrator)
            _ = try database.query(AdminSQL.remove, administrator)
            return Reply(["email": .string(found.text(0, 1)), "role": .string(found.text(0, 2))])
        }
    }
}
