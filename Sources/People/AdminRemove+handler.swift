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
            try checkSender(job.principal, removes: administrator, keepIssued: payload.keepIssued, on: &database)
            var ended = IssuedByPerson()
            if payload.keepIssued {
                // It ends with whoever made this person.
                _ = try database.query(AdminSQL.holdMaker, administrator)
                try database.send(AdminSQL.handUpPeople, administrator)
                try database.send(AdminSQL.handUpTokens, administrator)
                _ = try database.collect()
            } else {
                ended = try IssuedByPerson.end(of: administrator, on: &database)
            }
            // The credentials come first: once the person is deleted, nothing says which were theirs.
            _ = try database.query(AdminSQL.revoke, [administrator])
            _ = try database.query(AdminSQL.remove, [administrator])
            return Reply(["email": .string(email), "role": .string(role)].merging(ended.result) { first, _ in first })
        }
    }

    /// Nobody outlives the person by whom he is there, by removing that person first; and nobody who goes leaves something of his behind.
    private static func checkSender(
        _ sender: Principal, removes administrator: String, keepIssued: Bool, on database: inout Transaction
    ) throws {
        guard let own = try IssuingPerson.hold(sender, on: &database) else { return }
        if own == administrator {
            guard keepIssued else { return }
            throw Rejection(
                .forbidden, "who removes himself does not keep what he issued: somebody else may", field: "/keep_issued")
        }
        guard try database.query(AdminSQL.makers, own).decode(String.self).contains(administrator) else { return }
        throw Rejection(.forbidden, "an administrator cannot remove a person by whom he was made", field: "/email")
    }
}

/// What a person issued: tokens, and administrators with all that they issued in turn.
struct IssuedByPerson {
    private(set) var tokens: [String] = []
    private(set) var people: [(email: String, role: String, tenant: String?)] = []
    /// So many are named in an answer.
    private static let mostNamed = 1_000

    /// Ends all of it. The person's own row has to be locked, so that whatever the person issues now is either here or refused.
    static func end(of administrator: String, on database: inout Transaction) throws(PostgresError) -> IssuedByPerson {
        var issued = IssuedByPerson()
        var makers = [administrator]
        var latest = makers
        // One statement for each generation: it also sees what was committed while the statement before it waited for a lock.
        while !latest.isEmpty {
            let made = try database.query(AdminSQL.made, latest, makers).decode((String, String, String, String?).self)
            issued.people += made.map { (email: $0.1, role: $0.2, tenant: $0.3) }
            latest = made.map(\.0)
            makers += latest
        }
        issued.tokens = try database.query(TokenSQL.revokeMade, makers).decode(String.self)
        issued.tokens += try TokenRevocation.handedOn(by: issued.tokens, on: &database)
        let others = Array(makers.dropFirst())
        _ = try database.query(AdminSQL.revoke, others)
        _ = try database.query(AdminSQL.remove, others)
        return issued
    }

    /// For the answer.
    var result: [String: JSONValue] {
        let removed = people.prefix(Self.mostNamed).map { person in
            JSONValue.object([
                "email": .string(person.email), "role": .string(person.role),
                "tenant": person.tenant.map { .string($0) } ?? .null,
            ])
        }
        return [
            "revoked": .array(tokens.prefix(Self.mostNamed).map { .string($0) }), "revoked_count": .int(Int64(tokens.count)),
            "removed": .array(removed), "removed_count": .int(Int64(people.count)),
        ]
    }
}

/// Keeps the person who issues something in place until the commit, so that a removal waits and finds what was issued, too.
enum IssuingPerson {
    /// - Returns: the id of the administrator whose credential this is; nil for what is no person's.
    static func hold(_ issuer: Principal, on database: inout Transaction) throws -> String? {
        guard issuer.role == .accountAdmin || issuer.role == .tenantAdmin else { return nil }
        guard let id = try database.query(AdminSQL.hold, issuer.key).first(String.self) else {
            throw Rejection(.unauthenticated, "credential \(issuer.key) was revoked")
        }
        return id
    }
}
