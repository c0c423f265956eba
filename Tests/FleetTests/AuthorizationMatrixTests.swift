internal import Contract
internal import Fleet
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

/// Who may send what, on whose tenant, through a worker.
@Suite struct AuthorizationMatrixTests {
    private struct Case {
        let sender: AuthorizationSender
        let kind: Kind
        let place: AuthorizationSender.Place?
        var id: String { "\(sender) \(kind) \(place?.rawValue ?? "-")" }
        /// Permission is asked before the payload is looked at: `[]` is no payload of any kind, so nothing is ever changed.
        var expected: ErrorCode { sender.may(send: kind, to: place) ? .invalidPayload : .forbidden }
    }

    @Test(
        "Every role sends every kind to its own, a sibling's and a stranger's tenant: what the contract doesn't allow is forbidden"
    )
    func matrix() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        let stranger = try fleet.makeAccount("else")
        for (slug, token) in [("shop", acme), ("blog", acme), ("foreign", stranger)] { try fleet.makeTenant(slug, token: token) }
        let senders = try AuthorizationSender.allCases.map { ($0, try credential(of: $0, fleet)) }
        let before = try traces(fleet)
        var cases: [Case] = []
        for kind in Kind.all {
            let places = AuthorizationSender.Place.allCases.map { Optional($0) } + (kind.needsTenant ? [] : [nil])
            for (sender, token) in senders {
                for place in places {
                    let job = Case(sender: sender, kind: kind, place: place)
                    try fleet.send(kind.name, "[]", tenant: place?.rawValue, token: token, id: job.id)
                    cases.append(job)
                }
            }
        }
        for job in cases {
            let answer = try fleet.answer(to: job.id)
            #expect(answer.error?.code == job.expected, "\(job.id): \(answer)")
        }
        #expect(cases.count > 1_000)
        #expect(try traces(fleet) == before, "nothing was changed")
        await fleet.stop()
    }

    /// Straight into the table: nobody issues a token without a scope.
    private func credential(of sender: AuthorizationSender, _ fleet: TestFleet) throws -> String {
        let bearer = Bearer.make(prefix: "tst")
        var parameters = Parameters()
        parameters.append(bearer.key)
        parameters.append(sender.role.rawValue)
        parameters.append(sender.account)
        parameters.append(sender.tenant)
        parameters.append(sender.scopes.map(\.rawValue))
        parameters.append(bytes: bearer.secretHash)
        _ = try fleet.database.query(
            """
            insert into tenantry.credentials (key, role, account, tenant, name, scopes, secret_hash)
            values ($1, $2, nullif($3, ''), $4, 'matrix', $5, $6)
            """, parameters)
        return bearer.token
    }

    private func traces(_ fleet: TestFleet) throws -> [Int64] {
        let tables = ["inbox", "audit_log", "tenants", "accounts", "administrators", "credentials", "templates", "invoices"]
        return try tables.map { try fleet.number("select count(*) from tenantry.\($0)") }
    }
}
