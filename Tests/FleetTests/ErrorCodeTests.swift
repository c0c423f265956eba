internal import AMQP
internal import Contract
internal import Foundation
internal import Testing

/// Every way to be rejected, in one batch with good jobs: the bad are dead-lettered and answered, the good are committed.
@Suite struct ErrorCodeTests {
    @Test(
        "A bad job is dead-lettered with its error, body and properties unchanged but for its credential", arguments: BadJob.all)
    func deadLetter(job: BadJob) async throws {
        let ending = try #require(try await MixedBatch.shared().endings[job.name])
        let letter = try #require(ending.letter)
        #expect(letter.code == job.code.rawValue)
        if job.code == .invalidPayload { #expect(letter.field == job.field || job.field == nil, "\(letter.message)") }
        if job.code == .malformedJSON { #expect(letter.field == nil) }
        #expect(!letter.message.isEmpty)
        #expect(letter.attempts == 1)
        #expect(letter.failedAt.flatMap { RFC3339.microseconds($0) } != nil)
        #expect(letter.routingKey == job.kind)
        #expect(
            letter.kindHeader
                == .text(ending.sent.type == "corpus.ingest" && job.kind != "corpus.ingest" ? "corpus.ingest" : job.kind))
        // Of a body over its limit the beginning is kept. Compared as a Boolean: how two long bodies differ takes long to find out.
        let kept = job.code == .payloadTooLarge ? Array(job.body.prefix(4_096)) : job.body
        #expect(Bool(letter.body == kept), "\(letter.body.count) bytes of \(job.body.count)")
        // The broker counts deliveries in a header of its own, and puts headers in the order of their names.
        let added = Set(Header.added.map(\.name) + ["x-delivery-count"])
        let headers = letter.properties.headers.entries.filter { !added.contains($0.name) }
        let sentHeaders = ending.sent.headers.entries.filter { $0.name != Header.authorization.name }.sorted { $0.name < $1.name }
        #expect(headers.map(\.name) == sentHeaders.map(\.name))
        #expect(headers.map(\.value) == sentHeaders.map(\.value))
        var (found, sent) = (letter.properties, ending.sent)
        (found.headers, sent.headers) = ([:], [:])
        #expect(found == sent)
    }

    @Test("A bad job is answered with its error", arguments: BadJob.all.filter(\.isAnswered))
    func answer(job: BadJob) async throws {
        let ending = try #require(try await MixedBatch.shared().endings[job.name])
        let answer = try #require(ending.answer)
        #expect(answer.status == .rejected)
        #expect(answer.result == nil && !answer.duplicate)
        #expect(answer.error?.code == job.code)
        if let field = job.field { #expect(answer.error?.field == field, "\(answer)") }
        #expect(answer.error?.message == ending.letter?.message)
        #expect(answer.jobID == ending.sent.messageID ?? "")
    }

    @Test("A limit that is reached is named with its metric and value, in words and as members of the error")
    func limits() async throws {
        let batch = try await MixedBatch.shared()
        let expected = [
            ("a tenant too many", ["child_tenants", "limit 3", "value 3"]),
            ("a message too many", ["messages", "limit 5", "value 5"]),
            ("a document too many", ["documents", "limit 2", "value 2"]),
            ("a byte too many", ["corpus_bytes", "limit 1000", "value 0"]),
        ]
        for (name, words) in expected {
            let message = batch.endings[name]?.letter?.message ?? ""
            for word in words { #expect(message.contains(word), "\(name): \(message)") }
            let limit = try #require(batch.endings[name]?.answer?.error?.limit, "\(name)")
            #expect(words == [limit.metric?.rawValue, "limit \(limit.limit)", "value \(limit.value)"], "\(name)")
            #expect(limit.mode == .hard)
            // The messages' period ends with the month.
            #expect(
                limit.resetsAt?.description.hasSuffix("-01T00:00:00.000Z") == (limit.metric == .messages ? true : nil), "\(limit)"
            )
        }
    }

    @Test("The good jobs of the same batch are committed, and nothing else is")
    func neighbours() async throws {
        let batch = try await MixedBatch.shared()
        for (name, answer) in batch.goodAnswers {
            #expect(answer.status == .succeeded && !answer.duplicate, "neighbour of \(name): \(answer)")
        }
        #expect(batch.letterCount == BadJob.all.count)
        #expect(batch.numbers["rows"] == batch.goodMessages)
        #expect(batch.numbers["counted"] == batch.goodMessages)
        #expect(batch.numbers["conversations"] == batch.goodMessages / 2)
        #expect(batch.numbers["active users"] == batch.goodMessages / 2)
        #expect(batch.numbers["sibling rows"] == 0)
        #expect(batch.numbers["narrow messages"] == 5)
        #expect(batch.numbers["narrow tenants"] == 3)
        #expect(batch.numbers["docs documents"] == 2)
        #expect(batch.numbers["bytes documents"] == 0)
        #expect(batch.numbers["acme tenants"] == 3)
        #expect(batch.numbers["accounts"] == 5)
        let tokens = BadJob.all.filter { ["tenant", "token", "template"].contains($0.kind.prefix { $0 != "." }) }.count
        #expect(batch.numbers["good tokens"] == Int64(tokens))
    }

    @Test("Every error code that a job can earn without a crash is among the bad jobs")
    func coverage() {
        let codes = Set(BadJob.all.map(\.code))
        let elsewhere: Set<ErrorCode> = [.tenantUnknown, .conflict, .preconditionFailed, .retriesExhausted, .crashLoop, .tooSlow]
        #expect(codes.union(elsewhere) == Set(ErrorCode.allCases))
    }
}
