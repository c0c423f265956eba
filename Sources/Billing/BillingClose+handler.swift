internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

extension Billing {
    /// The most invoices that an answer names one by one.
    private static let mostAnswered = 1_000

    /// `billing.close`: an account's invoices of a period all come with one transaction; of all accounts, with one each.
    static func billingClose(sendsInvoices: Bool) -> any JobHandler {
        PartwiseJobHandler(BillingClose.self) { payload, job, database in
            let period = payload.period
            guard let slug = try account(of: job, payload) else {
                return try closeAll(period, by: job, sendsInvoices: sendsInvoices, on: &database)
            }
            let invoices = try close(slug, period, sendsInvoices: sendsInvoices, on: &database.transaction).invoices
            var result = answer(invoices, accounts: 1)
            result["account"] = .string(slug)
            return Reply(result)
        }
    }

    /// nil: every account.
    private static func account(of job: Job, _ payload: BillingClose) throws(Rejection) -> String? {
        if job.account.isEmpty { return payload.account }
        if let named = payload.account, named != job.account {
            throw Rejection(.forbidden, "account \(named) is not the sender's own", field: "/account")
        }
        return job.account
    }

    /// Makes what is not there yet.
    ///
    /// - Returns: all invoices, and whether they were made by this call.
    /// - Throws: `Rejection` where there is no such account, or no such finished period of it.
    private static func close(
        _ slug: String, _ period: String, sendsInvoices: Bool, on database: inout Transaction
    ) throws -> (invoices: [AnsweredInvoice], areNew: Bool) {
        // Of two that close an account's periods at once, the second sees what the first has made.
        try database.takeTurn("tenantry.billing:\(slug)")
        let made = try InvoiceBook.invoices(of: slug, period: period, on: &database)
        guard made.isEmpty else { return (made, false) }
        guard let account = try BilledAccount.read(slug, period: period, on: &database) else {
            throw Rejection(.accountUnknown, "there is no account \(slug)", field: "/account")
        }
        if let refusal = account.refusal { throw refusal }
        try make(account, sendsInvoices: sendsInvoices, on: &database)
        return (try InvoiceBook.invoices(of: slug, period: period, on: &database), true)
    }

    private static func make(_ account: BilledAccount, sendsInvoices: Bool, on database: inout Transaction) throws {
        let differences = try UsageDifferences.read(account, on: &database)
        let tenants = try BilledTenant.read(
            Set(differences.map(\.tenant)), account: account.slug, period: account.period, on: &database)
        let others = Set(differences.map(\.period).filter { $0.name != account.period.name })
        let earlier = try UsageDifferences.terms(of: others, account: account.slug, on: &database)
        do {
            let invoices = try Invoicing.invoices(of: account, tenants: tenants, differences: differences, earlier: earlier)
            // Before anything is sent: a statement that is in the pipeline cannot be taken out of it.
            for invoice in invoices { _ = try invoice.amounts() }
            try InvoiceBook.write(invoices, account: account, sendsInvoices: sendsInvoices, on: &database)
        } catch is Tariff.Overflow {
            throw Rejection(.conflict, "an amount of account \(account.slug) is beyond what an invoice can hold")
        }
    }

    /// Accounts whose own period has not ended, or had ended before there was the account, are skipped. One that cannot be closed does not
    /// keep the others from being closed.
    private static func closeAll(
        _ period: String, by job: Job, sendsInvoices: Bool, on database: inout PartwiseTransaction
    ) throws -> Reply {
        // The first of them, for the answer, and how many there are.
        var invoices: [AnsweredInvoice] = []
        var invoiceCount = 0
        var accounts = 0
        var unfinished: [Rejection] = []
        var failed: [JSONValue] = []
        var skipped = 0
        for slug in try BilledAccount.all(on: &database.transaction) {
            guard let account = try BilledAccount.read(slug, period: period, on: &database.transaction) else { continue }
            let isMade = try !InvoiceBook.invoices(of: slug, period: period, on: &database.transaction).isEmpty
            if !isMade, let refusal = account.refusal {
                skipped += 1
                if !account.isFinished { unfinished.append(refusal) }
                continue
            }
            do {
                let made = try database.transaction.savepoint { database in
                    let (made, areNew) = try close(slug, period, sendsInvoices: sendsInvoices, on: &database)
                    if areNew { try audit(slug, period, made, by: job, on: &database) }
                    return made
                }
                accounts += 1
                invoiceCount += made.count
                invoices += made.prefix(mostAnswered - invoices.count)
            } catch let rejection as Rejection {
                failed.append(["account": .string(slug), "error": rejection.json])
            }
            try database.nextPart()
        }
        if accounts == 0, failed.isEmpty, let first = unfinished.first { throw first }
        var result = answer(invoices, accounts: accounts)
        result["invoice_count"] = .int(Int64(invoiceCount))
        result["skipped"] = .int(Int64(skipped))
        result["failed"] = .array(Array(failed.prefix(mostAnswered)))
        return Reply(result)
    }

    /// An account finds in the audit log what was done to it, also where it was one of all.
    private static func audit(
        _ slug: String, _ period: String, _ made: [AnsweredInvoice], by job: Job, on database: inout Transaction
    ) throws(PostgresError) {
        let sender = job.principal
        let payload: JSONValue = ["period": .string(period)]
        let result: JSONValue = ["account": .string(slug), "invoice_count": .int(Int64(made.count))]
        try AuditLog.append(
            AuditEntry(
                account: slug, tenant: nil, credential: sender.key, role: sender.role.rawValue, actor: sender.name,
                kind: job.kind.name, jobID: job.id, details: ["payload": payload, "result": result]),
            on: &database)
    }

    private static func answer(_ invoices: [AnsweredInvoice], accounts: Int) -> [String: JSONValue] {
        [
            "accounts": .int(Int64(accounts)), "invoices": .array(invoices.prefix(mostAnswered).map(\.json)),
            "invoice_count": .int(Int64(invoices.count)), "skipped": 0,
        ]
    }
}

extension BilledAccount {
    /// Why its period cannot be closed.
    fileprivate var refusal: Rejection? {
        if createdAt >= period.end {
            return .invalid("/period", "had ended before account \(slug) was created, at \(period.end.rfc3339)")
        }
        if !isFinished { return .invalid("/period", "is not finished: account \(slug)'s period ends at \(period.end.rfc3339)") }
        return nil
    }
}
