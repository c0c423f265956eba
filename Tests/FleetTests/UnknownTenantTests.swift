internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import TestSupport
internal import Testing

/// A tenant that is not there may still be on its way.
@Suite struct UnknownTenantTests {
    @Test("A job for a tenant that never comes climbs three steps and is dead-lettered as tenant_unknown")
    func never() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let answer = try fleet.ask("conversation.log", TestFleet.log(["1"]), tenant: "ghost", token: account, id: "lost")
        #expect(answer.status == .rejected)
        #expect(answer.error?.code == .tenantUnknown)
        await fleet.stop()
        let letters = try fleet.takeDeadLetters()
        #expect(letters.map(\.code) == ["tenant_unknown"])
        let letter = try #require(letters.first)
        #expect(letter.attempts == 4, "the first attempt and three steps")
        #expect(letter.jobID == "lost" && letter.tenant == "ghost" && letter.kind == "conversation.log")
        #expect(letter.delivery.routingKey == "conversation.log")
        #expect(letter.delivery.headers["tenantry-retry-delay"] == nil)
        #expect(letter.delivery.properties.expiration == nil, "a letter must not vanish by itself")
    }

    @Test("A job for a tenant that is created meanwhile succeeds, as does every neighbour that waited with it")
    func meanwhile() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        await fleet.stop()
        // Steps so long that the tenant is there before the last, however slow the machine.
        let ladder = RetryLadder(delaysMilliseconds: [50, 100, 4_000, 200])
        let ids = (0..<20).map { "job-\($0)" }
        for id in ids { try fleet.send("conversation.log", TestFleet.log([id]), tenant: "late", token: account, id: id) }
        try fleet.startWorker { $0.ladder = ladder }
        try await eventually("the jobs wait on the last step") {
            try fleet.broker.inspectQueue("tenantry.retry.4000")?.messageCount == ids.count
        }
        try fleet.makeTenant("late", token: account)
        for id in ids {
            let answer = try fleet.answer(to: id)
            #expect(answer.status == .succeeded && answer.result?["accepted"] == 1)
        }
        #expect(try fleet.number("select count(*) from tenant_late.messages") == 20)
        #expect(try fleet.number("select messages from tenantry.tenant_usage where tenant = 'late' and messages > 0") == 20)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }
}
