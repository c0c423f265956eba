internal import AMQP
internal import Contract
internal import TestSupport
internal import Testing

@Suite(.serialized) struct NeighbourTests {
    @Test func `A reply queue that is full holds up nobody else`() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount("full")
        try fleet.makeTenant("full-shop", token: token)
        _ = try fleet.broker.declareQueue("full.answers", arguments: ["x-max-length": 1, "x-overflow": "reject-publish"])
        for _ in 0..<3 {
            _ = try fleet.broker.publish(exchange: "", routingKey: "full.answers", properties: Properties(), body: "x")
        }
        let filled = try fleet.broker.awaitConfirms(timeoutSeconds: 30)
        #expect(!filled.nacked.isEmpty, "the queue is full")
        await fleet.stop()
        try fleet.send("conversation.log", TestFleet.log(["m1"]), tenant: "full-shop", token: token) {
            $0.replyTo = "full.answers"
        }
        try fleet.send("conversation.log", TestFleet.log(["m2"]), tenant: "full-shop", token: token, id: "good")
        try fleet.startWorker()
        let answer = try fleet.answer(to: "good")
        #expect(answer.result?["accepted"] == 1)
        #expect(try fleet.number("select count(*) from tenant_full_shop.messages") == 2)
        await fleet.stop()
        let letters = try fleet.takeDeadLetters()
        #expect(letters.isEmpty)
        let left = try fleet.broker.inspectQueue(Family.conversation.queue)?.messageCount
        #expect(left == 0, "both are acknowledged")
    }

    @Test func `What several jobs say about a conversation is put together, and a repeat undoes nothing`() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount("said")
        try fleet.makeTenant("said-shop", token: token)
        await fleet.stop()
        func log(_ id: String, _ metadata: String) -> String {
            String(TestFleet.log([id]).dropLast()) + #","metadata":\#(metadata)}"#
        }
        try fleet.send("conversation.log", log("m1", #"{"a":1,"b":1}"#), tenant: "said-shop", token: token)
        try fleet.send("conversation.log", log("m2", #"{"b":2}"#), tenant: "said-shop", token: token, id: "second")
        try fleet.startWorker()
        _ = try fleet.answer(to: "second")
        let metadata = "select metadata::text from tenant_said_shop.conversations"
        #expect(try fleet.texts(metadata) == [#"{"a": 1, "b": 2}"#])
        let again = try fleet.ask("conversation.log", log("m1", #"{"a":1,"b":1}"#), tenant: "said-shop", token: token)
        #expect(again.duplicate)
        #expect(try fleet.texts(metadata) == [#"{"a": 1, "b": 2}"#])
        await fleet.stop()
    }

    @Test(
        "A moment lies in its period also where a clock is put back at midnight",
        arguments: [
            ("2026-11-01T04:30:00Z", "America/Havana", 1), ("2026-11-01T05:30:00Z", "America/Havana", 1),
            ("2026-10-25T00:30:00Z", "Atlantic/Azores", 25), ("2026-10-25T01:30:00Z", "Atlantic/Azores", 25),
        ])
    func repeatedMidnight(_ moment: String, _ zone: String, _ anchor: Int) async throws {
        let fleet = try await TestFleet()
        let inside = try fleet.number(
            """
            select count(*) from tenantry.period('\(moment)', '\(zone)', \(anchor)) p
            where p.period_start <= '\(moment)' and '\(moment)' < p.period_end
            """)
        #expect(inside == 1)
    }
}
