internal import Contract
internal import Jobs
internal import Postgres

extension Accounts {
    /// `account.rotate`: a new credential; those before it end after a while in which both work.
    static func accountRotate() -> any JobHandler {
        SingleJobHandler(AccountRotate.self) { payload, job, database in
            let account = try account(of: payload, job.principal)
            // Two rotations at once come one after the other: the second also ends the credential that the first has made.
            guard try database.query(RotateSQL.hold, account).count == 1 else {
                throw Rejection(.accountUnknown, "there is no account \(account)", field: "/account")
            }
            let end = try database.query(RotateSQL.endEarlier, account, payload.overlapSeconds).only(Timestamp.self)
            let bearer = try AccountCredential.issue(account: account, on: &database)
            return Reply(
                [
                    "account": .string(account), "key": .string(bearer.key),
                    "earlier_end_at": .string(end.rfc3339),
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
    /// Returns the moment after which none of the earlier credentials works.
    static let endEarlier: Statement = """
        with ended as (
            update tenantry.credentials set expires_at = least(expires_at, now() + $2 * interval '1 second')
            where account = $1 and role = 'account' and revoked_at is null and expires_at > now()
        )
        select now() + $2 * interval '1 second'
        """
}
