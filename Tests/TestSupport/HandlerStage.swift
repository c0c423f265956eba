public import Contract
public import Families
public import Jobs
public import Postgres
internal import Schema

/// Handlers by themselves: jobs made by hand, done in a transaction of a real database, which is rolled back. No broker, no worker.
///
/// What only a fleet can show (answers, retries, batches that are split, events on the wire) is for ``TestFleet``.
public final class HandlerStage {
    /// An operator, who may do all that operators do.
    public static let `operator` = Principal(key: "op_test", role: .operator, account: "", tenant: nil, scopes: [])

    /// nil once the test is over.
    private var transaction: Transaction?
    private let handlers: [Kind: any JobHandler]
    private var jobsMade = 0

    /// All tests share it, as each of them takes back what it did.
    private static let shared = Task { try await TestServers.shared.migratedDatabase() }

    private init(_ transaction: consuming Transaction, _ options: Families.Options) {
        self.transaction = consume transaction
        let handlers = Families.all(options).flatMap { $0.makeHandlers() }
        self.handlers = Dictionary(uniqueKeysWithValues: handlers.map { ($0.kind, $0) })
    }

    /// Runs the body with ``TestFleet/plans`` in the database, and takes back whatever it did, also when it throws.
    ///
    /// - Parameters:
    ///   - isolated: in a database of its own. For kinds that are done in parts: what they commit stays.
    ///   - options: what the handlers are told.
    public static func run(
        isolated: Bool = false, options: Families.Options = Families.Options(), _ body: (HandlerStage) throws -> Void
    ) async throws {
        struct TakenBack: Error {}
        let place = isolated ? try await TestServers.shared.migratedDatabase() : try await shared.value
        defer { withExtendedLifetime(place) {} }
        var connection = try Connection(ConnectionOptions(url: place.url))
        do {
            try connection.transaction { (transaction: inout Transaction) throws -> Void in
                let stage = HandlerStage(transaction, options)
                let result = Result { try body(stage) }
                transaction = stage.end()
                try result.get()
                throw TakenBack()
            }
        } catch is TakenBack {}
    }

    private func end() -> Transaction { transaction.take()! }

    // MARK: Jobs

    /// Does one job as a lane would, and gives the answer that its sender would get. A rejected one has left nothing.
    ///
    /// - Throws: ``TestFailure`` for a job that would be tried again; what the driver throws, which ends the transaction.
    public func ask(_ kind: String, _ body: String, tenant: String? = nil, by principal: Principal, id: String? = nil) throws
        -> Answer
    {
        jobsMade += 1
        let id = id ?? "job-\(jobsMade)"
        let job = try job(kind, Array(body.utf8), tenant: tenant, by: principal, id: id)
        if let refusal = principal.refusal(of: job.kind, tenant: job.tenant) {
            return Answer(jobID: id, kind: kind, error: refusal)
        }
        switch try outcomes(of: [job])[0] {
        case .succeeded(let result, let isDuplicate):
            return Answer(jobID: id, kind: kind, result: result ?? .null, duplicate: isDuplicate)
        case .rejected(let rejection): return Answer(jobID: id, kind: kind, error: rejection)
        case .notYet(let rejection): throw TestFailure("job \(id) would be tried again: \(rejection)")
        case .failed(let cause), .cancelled(let cause), .deferred(_, let cause):
            throw TestFailure("job \(id) would be tried again: \(cause)")
        }
    }

    /// A job that has passed authorization, with the tenant as the database has it.
    ///
    /// - Parameter mayHaveHardFlowLimit: what a lane is told of the tenant; without, jobs of `conversation.log` are written together.
    public func job(
        _ kind: String, _ body: [UInt8], tenant: String? = nil, by principal: Principal, id: String,
        mayHaveHardFlowLimit: Bool = true
    ) throws -> Job {
        guard let known = Kind.named(kind) else { throw TestFailure("there is no kind \(kind)") }
        return Job(
            kind: known, id: id, principal: principal, tenant: try tenant.map { try record(of: $0, mayHaveHardFlowLimit) },
            payload: body)
    }

    /// Does jobs of one kind in one batch, again if the handler asks for it. What one of them throws takes back the effects of all.
    public func outcomes(of jobs: [Job]) throws -> [Outcome] {
        guard let handler = jobs.first.flatMap({ handlers[$0.kind] }) else { throw TestFailure("no handler for \(jobs)") }
        do {
            for _ in 0..<TransactionFailure.mostRepeats {
                do {
                    return try withDatabase {
                        try $0.savepoint { database in
                            // A handler has no more than a worker has; who looks at what came of it is the owner again. What is thrown takes it
                            // back.
                            try database.run(script: "set local role \(TestDatabase.name(of: .worker))")
                            let outcomes = try handler.handle(jobs[...], on: &database)
                            try database.run(script: "set local role none")
                            return outcomes
                        }
                    }
                } catch is RunAgain {}
            }
            throw TestFailure("the batch would be run again and again")
        } catch let rejection as Rejection where handler.batchLimit == 1 {
            return [.rejected(rejection)]
        } catch let later as NotYet where handler.batchLimit == 1 {
            return [.notYet(later.rejection)]
        }
    }

    private func record(of tenant: String, _ mayHaveHardFlowLimit: Bool) throws -> TenantRecord {
        let rows = try withDatabase { try $0.query(SQL.tenant, tenant) }
        guard rows.count == 1 else { throw TestFailure("there is no tenant \(tenant)") }
        return TenantRecord(
            slug: tenant, account: rows.text(0, 0), schema: try Identifier(rows.text(0, 1)),
            state: TenantState(rawValue: rows.text(0, 2)) ?? .suspended, timezone: rows.text(0, 3),
            billingAnchorDay: rows.int(0, 4), closedThrough: rows.timestamp(0, 5), meteredFrom: rows.timestamp(0, 7),
            mayHaveHardFlowLimit: mayHaveHardFlowLimit,
            hasErasures: rows.bool(0, 6))
    }

    // MARK: Subjects

    /// An account, as its own credential speaks for it.
    public func makeAccount(_ slug: String, plan: String = "enterprise", _ more: String = "") throws -> Principal {
        let answer = try ask(
            "account.create", #"{"slug":"\#(slug)","display_name":"\#(slug)","plan":"\#(plan)"\#(more)}"#, by: Self.operator)
        guard case .string(let key)? = answer.result?["key"] else { throw TestFailure("account \(slug) was not made: \(answer)") }
        return Principal(key: key, role: .account, account: slug, tenant: nil, scopes: [])
    }

    public func makeTenant(_ slug: String, by account: Principal, _ more: String = "") throws {
        let answer = try ask("tenant.create", #"{"slug":"\#(slug)","display_name":"\#(slug)"\#(more)}"#, by: account)
        guard answer.status == .succeeded else { throw TestFailure("tenant \(slug) was not made: \(answer)") }
    }

    // MARK: What came of it

    /// One number from the database; 0 where there is none.
    public func number(_ sql: String) throws -> Int64 {
        let rows = try withDatabase { try $0.query(Statement(sql)) }
        return rows.count == 0 || rows.isNull(0, 0) ? 0 : rows.int(0, 0)
    }

    /// The first column, as text; "" for null.
    public func texts(_ sql: String) throws -> [String] {
        let rows = try withDatabase { try $0.query(Statement(sql)) }
        return (0..<rows.count).map { rows.isNull($0, 0) ? "" : rows.text($0, 0) }
    }

    /// The open transaction, for what is no job.
    public func withDatabase<Result>(_ body: (inout Transaction) throws -> Result) rethrows -> Result {
        try body(&transaction!)
    }

    private enum SQL {
        static let tenant: Statement = """
            select t.account, t.schema_name, t.state, a.timezone, a.billing_anchor_day, a.closed_through, t.has_erasures,
                   (select f.period_start from tenantry.period(a.created_at, a.timezone, a.billing_anchor_day) f)
            from tenantry.tenants t join tenantry.accounts a on a.slug = t.account where t.slug = $1
            """
    }
}
