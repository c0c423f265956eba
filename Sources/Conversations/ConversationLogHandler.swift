internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// `conversation.log`, the hot kind: one statement for all messages of a tenant in the batch, all tenants in one pipeline.
///
/// The primary key of the messages is its inbox: what is there already is not added, not counted, and answered as a duplicate.
final class ConversationLogHandler: JobHandler {
    let kind = Kind.conversationLog
    let batchLimit: Int

    private var reader = ConversationLogReader()
    private var periods = PeriodBook()
    private var statements = TenantStatements()
    /// Groups of the present batch, and emptied ones whose memory is used again.
    private var groups: [MessageGroup] = []
    private var spares: [MessageGroup] = []
    private var groupOf: [String: Int] = [:]
    /// Tenants that had their first erasure while a batch was under way, which does not know it yet.
    private var erasedMeanwhile: Set<String> = []
    /// Conversations whose metadata some job would have made too much; what describes them goes job by job.
    private var full: Set<ConversationKey> = []

    private struct ConversationKey: Hashable {
        let tenant: String
        let conversation: String
    }

    /// Tenants or conversations that are remembered before all are forgotten.
    private static let mostRemembered = 10_000

    init(batchLimit: Int) {
        self.batchLimit = batchLimit
    }

    func handle(_ jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [Outcome] {
        startBatch()
        let now = SystemClock.nowMicroseconds()
        var outcomes = [Outcome?](repeating: nil, count: jobs.count)
        var guarded: [Int] = []
        for (index, job) in jobs.enumerated() {
            do throws(Rejection) {
                try reader.read(job.body, nowMicroseconds: now)
            } catch {
                outcomes[index] = .rejected(error)
                continue
            }
            guard let tenant = job.tenant else { preconditionFailure("conversation.log passed without a tenant") }
            if tenant.mayHaveHardFlowLimit || describesFull(job, of: tenant) {
                guarded.append(index)
            } else {
                try group(of: tenant).append(reader, of: job, index: index, periods: &periods, on: &database)
            }
        }
        for (index, outcome) in try log(on: &database) { outcomes[index] = outcome }
        for (index, outcome) in try logGuarded(guarded, of: jobs, on: &database) { outcomes[index] = outcome }
        return outcomes.map { outcome in
            guard let outcome else { preconditionFailure("a job of the batch was left without an outcome") }
            return outcome
        }
    }

    /// Whether the job that was just read says something about a conversation that is full.
    private func describesFull(_ job: Job, of tenant: TenantRecord) -> Bool {
        guard !full.isEmpty, reader.metadata != nil else { return false }
        return full.contains(
            ConversationKey(tenant: tenant.slug, conversation: reader.conversationID.string(in: job.body)))
    }

    /// Writes the groups and books their usage.
    ///
    /// - Parameter isAlone: whether they are those of a single job, which is to blame for metadata that is too much.
    private func log(isAlone: Bool = false, on database: inout Transaction) throws -> [(Int, Outcome)] {
        guard !groups.isEmpty else { return [] }
        groups.sort { $0.tenant.slug < $1.tenant.slug }
        let added = try write(on: &database)
        try Meter.book(zip(groups, added).flatMap { group, added in group.bookings(added) }, on: &database)
        try noteLate(added, on: &database)
        var outcomes: [(Int, Outcome)] = []
        var described: [String] = []
        for (group, added) in zip(groups, added) {
            let accepted = try group.accepted(added, reader: &reader)
            outcomes += group.outcomes(accepted: accepted)
            guard let description = group.conversationParameters(accepted: accepted) else { continue }
            try database.send(statements.of(group).describe, description)
            described.append(group.tenant.slug)
        }
        if !described.isEmpty { try checkMetadata(try database.collect(), of: described, isAlone: isAlone) }
        return outcomes
    }

    /// Metadata that jobs of a batch have made too much, together or one of them: the batch is run again, and those jobs one by one.
    ///
    /// - Parameter tenants: whose conversations the rows are, one for each.
    private func checkMetadata(_ results: [Rows], of tenants: [String], isAlone: Bool) throws {
        var isTooMuch = false
        for (rows, tenant) in zip(results, tenants) where rows.count > 0 {
            isTooMuch = true
            for (conversation, bytes, before) in rows.decode((String, Int64, Int64).self) {
                guard !isAlone else { throw Self.tooMuchMetadata(bytes, before: before) }
                if full.count >= Self.mostRemembered { full.removeAll() }
                full.insert(ConversationKey(tenant: tenant, conversation: conversation))
            }
        }
        if isTooMuch { throw RunAgain("a conversation's metadata would be too much") }
    }

    private static func tooMuchMetadata(_ bytes: Int64, before: Int64) -> Rejection {
        Rejection(
            .bound(Bounds.metadataBytes, value: before),
            "the conversation's metadata would have \(bytes) bytes; metadata has at most \(Bounds.metadataBytes)",
            field: "/metadata")
    }

    private func write(on database: inout Transaction) throws -> [Added] {
        for group in groups { try database.send(statements.of(group).log, group.messageParameters()) }
        try database.send(TenantStatements.erased, groups.filter { !$0.sparesErased }.map(\.tenant.slug))
        let results = try database.collect()
        try checkErasures(results[groups.count])
        return results[..<groups.count].map { Added($0) }
    }

    /// An erasure locks the tenant's messages, so a batch that began before a tenant's first one may have waited for it, and then have
    /// written again what was erased. Such a batch is run again, and leaves that out.
    private func checkErasures(_ rows: Rows) throws(RunAgain) {
        guard rows.count > 0 else { return }
        if erasedMeanwhile.count > Self.mostRemembered { erasedMeanwhile.removeAll() }
        erasedMeanwhile.formUnion(rows.decode(String.self))
        throw RunAgain("something of a tenant was erased meanwhile")
    }

    /// What belongs to a closed period and was booked in the open one is noted, for its bill.
    private func noteLate(_ added: [Added], on database: inout Transaction) throws(PostgresError) {
        var isAny = false
        for (group, added) in zip(groups, added) {
            guard let late = group.lateParameters(added) else { continue }
            try database.send(TenantStatements.noteLate(group.tenant.schema), late)
            isAny = true
        }
        if isAny { _ = try database.collect() }
    }

    /// Tenants under a hard limit, and conversations that are full, go job by job: each is written, measured, and undone again if it does not fit.
    private func logGuarded(_ indices: [Int], of jobs: ArraySlice<Job>, on database: inout Transaction) throws -> [(Int, Outcome)]
    {
        let ordered = indices.map { (index: $0, job: jobs[jobs.startIndex + $0]) }
        for account in Set(ordered.filter { $0.job.tenant!.mayHaveHardFlowLimit }.map(\.job.account)).sorted() {
            try HardLimits.takeTurn(account: account, on: &database)
        }
        var outcomes: [(Int, Outcome)] = []
        for (index, job) in ordered {
            startBatch()
            try reader.read(job.body, nowMicroseconds: SystemClock.nowMicroseconds())
            let group = group(of: job.tenant!)
            try group.append(reader, of: job, index: index, periods: &periods, on: &database)
            do {
                if group.tenant.mayHaveHardFlowLimit { try checkLimits(of: group, on: &database) }
                // What is undone costs a savepoint, so only a job that describes its conversation has one.
                outcomes +=
                    group.describesAny
                    ? try database.savepoint { database in try log(isAlone: true, on: &database) } : try log(on: &database)
            } catch let refusal as Rejection {
                outcomes.append((index, .rejected(refusal)))
            }
        }
        return outcomes
    }

    private func checkLimits(of group: MessageGroup, on database: inout Transaction) throws {
        try database.savepoint(isTrial: true) { database in
            for booking in group.bookings(try write(on: &database)[0]) {
                try HardLimits.check(
                    account: booking.account, tenant: group.tenant.slug, period: booking.period, counts: booking.counts,
                    on: &database)
            }
        }
    }

    private func startBatch() {
        for group in groups { group.removeAll() }
        spares += groups
        groups.removeAll(keepingCapacity: true)
        groupOf.removeAll(keepingCapacity: true)
    }

    private func group(of tenant: TenantRecord) -> MessageGroup {
        if let index = groupOf[tenant.slug] { return groups[index] }
        let group = spares.popLast() ?? MessageGroup()
        group.tenant = tenant
        group.sparesErased = tenant.hasErasures || erasedMeanwhile.contains(tenant.slug)
        groupOf[tenant.slug] = groups.count
        groups.append(group)
        return group
    }
}
