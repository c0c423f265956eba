internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension UsageFamily {
    /// `usage.aggregate`: hourly roll-ups made anew, counters held against the raw rows, pools against their tenants, limits measured.
    ///
    /// An account may have ten thousand tenants, so it goes in parts. Each is right by itself: it corrects what it found wrong within its own
    /// transaction, so that one that is done again finds nothing. The fleet's own jobs look at what has changed since the last one, those
    /// that somebody sends at everything.
    static func usageAggregate() -> any JobHandler {
        PartwiseJobHandler(UsageAggregate.self) { payload, job, database in
            let account = try account(of: job, payload)
            let only = job.tenant?.slug ?? job.principal.tenant
            var aggregation = try Aggregation(
                account: account, month: payload.period, tenant: only, changesOnly: job.principal.role == .fleet,
                on: &database.transaction)
            while try aggregation.takePart(on: &database) {}
            try aggregation.finish(on: &database.transaction)
            return Reply(aggregation.result)
        }
    }

    private static func account(of job: Job, _ payload: UsageAggregate) throws(Rejection) -> String {
        if job.account.isEmpty {
            guard let account = payload.account else {
                throw .invalid("/account", "is missing: an operator's job names the account")
            }
            return account
        }
        if let account = payload.account, account != job.account {
            throw Rejection(.forbidden, "account \(account) is not the sender's own", field: "/account")
        }
        return job.account
    }
}
