internal import Contract
internal import Jobs
internal import Postgres

extension Accounts {
    /// `account.rotate`: a new credential, and an end to those before it, after a while in which both work.
    static func accountRotate() -> any JobHandler {
        SingleJobHandler(AccountRotate.self) { payload, job, database in
            let account = try account(of: payload, job.principal)
            var slug = Parameters()
            slug.append(account)
            // Of two rotations, the second finds the first one's credential among the earlier.
            guard try database.query(RotateSQL.hold, slug).count == 1 else {
                throw Rejection(.accountUnknown, "there is no account \(account)", field: "/account")
            }
            var overlap = slug
            overlap.append(payload.overlapSeconds)
            let end = try database.query(RotateSQL.endEarlier, overlap).timestamp(0, 0)
            let bearer = Bearer.make(prefix: "acc")
            var credential = Parameters()
            credential.append(bearer.key)
            credential.append(account)
            credential.append(bytes: bearer.secretHash)
            _ = try database.query(SQL.issue, credential)
            return Reply(
                [
                    "account": .string(account), "key": .string(bearer.key),
                    "earlier_end_at": .string(RFC3339.text(end.microsecondsSince1970)),
                ], onceOnly: ["secret": .string(bearer.secret)])
        }
    }

    private static func account(of payload: AccountRotate, _ sender: Principal) throws -> String {
        guard !sender.account.isEmpty else {
            guard let named = payload.account else {
                throw Rejection.invalid("/account", "is missing: an operator has none of their own")
            }
            return named
        }
        guard payload.account ?? sender.account == sender.account else {
            throw Rejection(.forbidden, "credential \(sender.key) is account \(sender.account)'s", field: "/account")
        }
        return sender.account
    }
}

enum RotateSQL {
    static let hold: Statement = "select 1 from tenantry.accounts where slug = $1 for no key update"
    /// Gives the moment after which none of them works.
    static let endEarlier: Statement = """
        with ended as (
            update tenantry.credentials set expires_at = least(expires_at, now() + $2 * interval '1 second')
            where account = $1 and role = 'account' and revoked_at is null and expires_at > now()
        )
        select now() + $2 * interval '1 second'
        """
}
