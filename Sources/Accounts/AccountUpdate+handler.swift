internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension Accounts {
    /// `account.update`: what changes of plan and limits is measured at once, so that alerts follow in the same transaction.
    static func accountUpdate() -> any JobHandler {
        SingleJobHandler(AccountUpdate.self) { payload, job, database in
            if let plan = payload.plan { try AccountRules.check(plan: plan, on: &database) }
            if let timezone = payload.timezone { try AccountRules.check(timezone: timezone, on: &database) }
            let changesLimits = payload.plan != nil || payload.limits != .keep
            if changesLimits { try Reevaluation.hold(account: payload.account, on: &database) }
            var account = Parameters()
            account.append(payload.account)
            account.append(payload.displayName)
            account.append(payload.plan)
            account.append(payload.timezone)
            account.append(payload.billingAnchorDay.map { Int64($0) })
            account.append(payload.slugPrefix != .keep)
            account.append(payload.slugPrefix.value)
            let updated = try database.query(SQL.update, account)
            guard updated.count == 1 else {
                throw Rejection(.accountUnknown, "there is no account \(payload.account)", field: "/account")
            }
            switch payload.limits {
            case .keep: break
            case .clear: try CustomLimits.clear(account: payload.account, tenant: nil, on: &database)
            case .set(let limits): try CustomLimits.merge(limits, account: payload.account, tenant: nil, on: &database)
            }
            if changesLimits { try Reevaluation.run(account: payload.account, on: &database) }
            let event = Outbox.Entry.event(
                .accountUpdated, subject: [payload.account], id: job.id, ["account": .string(payload.account)])
            try Outbox.append([event], on: &database)
            return Reply(["account": .string(payload.account), "plan": .string(updated.text(0, 0))])
        }
    }
}
