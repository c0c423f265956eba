internal import Contract
internal import Jobs
internal import Metering
internal import Postgres

/// The messages of one tenant in a batch, as the columns that PostgreSQL is given. A class, so that its memory is used again.
final class MessageGroup {
    /// Which tenant; set whenever a group is taken into use.
    var tenant: TenantRecord!
    /// Whether what comes is held against what was erased.
    var sparesErased = false
    private var jobs: [(index: Int, job: Job, messages: Int)] = []

    private var id = BinaryArray(.text)
    private var conversation = BinaryArray(.text)
    private var role = BinaryArray(.text)
    private var user = BinaryArray(.text)
    private var content = BinaryArray(.text)
    private var sentAt = BinaryArray(.timestamptz)
    private var periodStart = BinaryArray(.timestamptz)
    private var tokensIn = BinaryArray(.int8)
    private var tokensOut = BinaryArray(.int8)
    private var model = BinaryArray(.text)
    private var metadata = BinaryArray(.jsonb)

    /// What jobs say about their conversations beside the messages, in the order of the jobs.
    private var descriptions: [Description] = []

    private struct Description {
        /// The job's place among the group's.
        let job: Int
        let conversation: TextSlice
        let channel: TextSlice?
        let metadata: RawSlice?
    }

    var describesAny: Bool { descriptions.contains { $0.metadata != nil } }

    /// The periods met in this batch: one, as a rule.
    private var periods: [BillingPeriod] = []
    /// Whether some message belongs to a closed period.
    private(set) var hasLate = false

    func removeAll() {
        jobs.removeAll(keepingCapacity: true)
        periods.removeAll(keepingCapacity: true)
        hasLate = false
        id.removeAll()
        conversation.removeAll()
        role.removeAll()
        user.removeAll()
        content.removeAll()
        sentAt.removeAll()
        periodStart.removeAll()
        tokensIn.removeAll()
        tokensOut.removeAll()
        model.removeAll()
        metadata.removeAll()
        descriptions.removeAll(keepingCapacity: true)
    }

    /// Adds the messages of the job that `reader` has just read.
    func append(
        _ reader: ConversationLogReader, of job: Job, index: Int, periods book: inout PeriodBook, on database: inout Transaction
    ) throws {
        let body = job.body
        jobs.append((index, job, reader.messages.count))
        for message in reader.messages {
            let period = try period(of: message.sentAtMicroseconds, book: &book, on: &database)
            id.append(message.id, in: body)
            conversation.append(reader.conversationID, in: body)
            role.append(text: Self.bytes(message.role.text))
            user.append(message.userID, in: body)
            content.append(message.content, in: body)
            sentAt.append(Timestamp(microsecondsSince1970: message.sentAtMicroseconds))
            periodStart.append(period.start)
            if let tokens = message.tokensIn { tokensIn.append(tokens) } else { tokensIn.appendNull() }
            if let tokens = message.tokensOut { tokensOut.append(tokens) } else { tokensOut.appendNull() }
            model.append(message.model, in: body)
            metadata.append(message.metadata, in: body)
        }
        guard reader.channel != nil || reader.metadata != nil else { return }
        descriptions.append(
            Description(
                job: jobs.count - 1, conversation: reader.conversationID, channel: reader.channel, metadata: reader.metadata))
    }

    func messageParameters() -> Parameters {
        var parameters = Parameters()
        parameters.append(id)
        parameters.append(conversation)
        parameters.append(role)
        parameters.append(user)
        parameters.append(content)
        parameters.append(sentAt)
        parameters.append(periodStart)
        parameters.append(tokensIn)
        parameters.append(tokensOut)
        parameters.append(model)
        parameters.append(metadata)
        if sparesErased { parameters.append(tenant.slug) }
        return parameters
    }

    /// Which messages were added, to note those that are late; nil if there are none.
    func lateParameters(_ added: Added) -> Parameters? {
        guard hasLate, added.messages > 0 else { return nil }
        var parameters = Parameters()
        parameters.append(tenant.account)
        parameters.append(tenant.slug)
        if added.messages < id.count { parameters.append(added.ids) } else { parameters.append(id) }
        parameters.append(tenant.timezone)
        parameters.append(tenant.billingAnchorDay)
        return parameters
    }

    /// What the jobs that brought something new say about their conversations; nil if there is nothing to say. A job that comes again
    /// brings nothing new, and so cannot undo what a later one said.
    func conversationParameters(accepted: [Int]) -> Parameters? {
        var described = BinaryArray(.text)
        var channel = BinaryArray(.text)
        var metadata = BinaryArray(.jsonb)
        for description in descriptions where accepted[description.job] > 0 {
            let body = jobs[description.job].job.body
            described.append(description.conversation, in: body)
            channel.append(description.channel, in: body)
            metadata.append(description.metadata, in: body)
        }
        guard !described.isEmpty else { return nil }
        var parameters = Parameters()
        parameters.append(described)
        parameters.append(channel)
        parameters.append(metadata)
        return parameters
    }

    /// What was added, as usage by period.
    func bookings(_ added: Added) -> [UsageBooking] {
        added.counts.map { start, counts in
            let period = periods.first { $0.start == start } ?? BillingPeriod(start: start, end: start)
            return UsageBooking(account: tenant.account, tenant: tenant.slug, period: period, counts: counts)
        }
    }

    /// How many of each job's messages are new. Where nothing was there before, that is plain; otherwise the ids tell which job came first.
    func accepted(_ added: Added, reader: inout ConversationLogReader) throws(Rejection) -> [Int] {
        guard added.messages < id.count else { return jobs.map(\.messages) }
        // By their bytes, as the database tells them apart: Swift takes two forms of the same character for equal.
        var unclaimed = Set(added.ids.map { Array($0.utf8) })
        var accepted: [Int] = []
        for (_, job, _) in jobs {
            try reader.read(job.body, nowMicroseconds: .max)
            accepted.append(reader.messages.count { unclaimed.remove(Array($0.id.string(in: job.body).utf8)) != nil })
        }
        return accepted
    }

    /// What to tell each job's sender, with the job's place in the batch.
    func outcomes(accepted: [Int]) -> [(Int, Outcome)] {
        zip(jobs, accepted).map { entry, accepted in
            (entry.index, Self.outcome(of: entry.job, accepted: accepted, duplicates: entry.messages - accepted))
        }
    }

    private static func outcome(of job: Job, accepted: Int, duplicates: Int) -> Outcome {
        let result: JSONValue? =
            job.wantsResult ? ["accepted": .int(Int64(accepted)), "duplicates": .int(Int64(duplicates))] : nil
        return .succeeded(result: result, isDuplicate: accepted == 0)
    }

    /// The period that a message is booked in: that of its own time, or the first open one if that is closed or before the account's first.
    private func period(of sentAt: Int64, book: inout PeriodBook, on database: inout Transaction) throws -> BillingPeriod {
        let closedThrough = tenant.closedThrough.microsecondsSince1970
        if sentAt < closedThrough { hasLate = true }
        let moment = max(sentAt, closedThrough, tenant.meteredFrom.microsecondsSince1970)
        if let period = periods.last, period.contains(moment) { return period }
        if let period = periods.first(where: { $0.contains(moment) }) { return period }
        let calendar = PeriodBook.Calendar(timezone: tenant.timezone, anchorDay: tenant.billingAnchorDay)
        let period = try book.period(of: moment, in: calendar, on: &database)
        periods.append(period)
        return period
    }

    private static func bytes(_ text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}

extension BinaryArray {
    mutating func append(_ slice: TextSlice, in body: UnsafeRawBufferPointer) {
        guard slice.isEscaped else { return append(text: slice.rawBytes(in: body)) }
        beginElement()
        slice.forEachPiece(in: body) { appendPart($0) }
        endElement()
    }

    mutating func append(_ slice: TextSlice?, in body: UnsafeRawBufferPointer) {
        if let slice { append(slice, in: body) } else { appendNull() }
    }

    mutating func append(_ slice: RawSlice?, in body: UnsafeRawBufferPointer) {
        if let slice { append(text: slice.bytes(in: body)) } else { appendNull() }
    }
}
