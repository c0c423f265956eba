internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension Accounts {
    /// `account.update`: usage is measured against a changed plan or changed limits at once, so alerts are part of the same transaction.
    static func accountUpdate() -> any JobHandler {
        SingleJobHandler(AccountUpdate.self, presentTags: presentTags) { payload, job, database in
            if let plan = payload.plan { try AccountRules.check(plan: plan, on: &database) }
            if let timezone = payload.timezone { try AccountRules.check(timezone: timezone, on: &database) }
            let changesLimits = changesLimits(payload)
            if changesLimits { try Reevaluation.hold(account: payload.account, on: &database) }
            let updated = try database.query(
                SQL.update, payload.account, payload.displayName, payload.plan, payload.timezone, payload.billingAnchorDay,
                payload.slugPrefix != .keep, payload.slugPrefix.value)
            guard let plan = updated.first(String.self) else {
                throw Rejection(.accountUnknown, "there is no account \(payload.account)", field: "/account")
            }
            switch payload.limits {
            case .keep: break
            case .clear: try CustomLimits.clear(account: payload.account, tenant: nil, on: &database)
            case .set(let limits): try CustomLimits.merge(limits, account: payload.account, tenant: nil, on: &database)
            }
            if changesLimits { try Reevaluation.run(account: payload.account, on: &database) }
            let event = OutboxMessage.event(
                .accountUpdated, subject: [payload.account], id: job.id, ["account": .string(payload.account)])
            try Outbox.append([event], on: &database)
            return Reply(["account": .string(payload.account), "plan": .string(plan)])
        }
    }

    private static func changesLimits(_ payload: AccountUpdate) -> Bool { payload.plan != nil || payload.limits != .keep }

    /// The account's entity tag. Its counters come before its row, as everywhere.
    private static func presentTags(_ payload: AccountUpdate, _ job: Job, on database: inout Transaction) throws -> [String]? {
        if changesLimits(payload) { try Reevaluation.hold(account: payload.account, on: &database) }
        guard try database.query(RotateSQL.hold, payload.account).count == 1 else {
            throw Rejection(.accountUnknown, "there is no account \(payload.account)", field: "/account")
        }
        return try AccountSummary.currentETag(payload.account, on: &database).map { [$0] } ?? []
    }
}
