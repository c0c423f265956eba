internal import AMQP
internal import Contract
internal import Fleet
internal import Jobs
internal import TestSupport
internal import Testing

/// `conversation.feedback`: one rating a message.
@Suite struct ConversationFeedbackTests {
    private func body(_ message: String, _ rating: Int, comment: String? = nil, conversation: String = "c") -> String {
        let comment = comment.map { #","comment":"\#($0)""# } ?? ""
        return #"{"conversation_id":"\#(conversation)","message_id":"\#(message)","rating":\#(rating)\#(comment)}"#
    }

    private func ratings(_ fleet: TestFleet) throws -> [String] {
        try fleet.texts(
            """
            select id || ' ' || coalesce(rating::text || ' ' || coalesce(rating_comment, '-') || ' ' || (rated_at > now() - interval '1 hour'), '-')
            from tenant_shop.messages order by id
            """)
    }

    @Test("The last rating wins, with its comment or without; the others' messages stay as they are, and nothing is counted")
    func lastOneWins() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        #expect(
            try fleet.ask("conversation.log", TestFleet.log(["a", "b"]), tenant: "shop", token: account).status == .succeeded)
        let first = try fleet.ask(
            "conversation.feedback", body("a", -1, comment: "wrong"), tenant: "shop", token: account, id: "first")
        #expect(first.status == .succeeded && first.result == ["message_id": "a", "rating": -1])
        #expect(try ratings(fleet) == ["a -1 wrong true", "b -"])
        #expect(
            try fleet.ask("conversation.feedback", body("a", 1), tenant: "shop", token: account).status == .succeeded)
        #expect(try ratings(fleet) == ["a 1 - true", "b -"])
        let again = try fleet.ask(
            "conversation.feedback", body("a", -1, comment: "wrong"), tenant: "shop", token: account, id: "first")
        #expect(again.duplicate && again.result == first.result)
        #expect(try ratings(fleet) == ["a 1 - true", "b -"], "a job that comes again does not undo what came after it")
        #expect(try fleet.number("select messages from tenantry.tenant_usage where tenant = 'shop' and messages > 0") == 2)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test(
        "A message that isn't there, or is another conversation's, is waited for and then rejected",
        arguments: [("ghost", "c"), ("a", "other")])
    func unknown(_ message: String, _ conversation: String) async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        #expect(try fleet.ask("conversation.log", TestFleet.log(["a"]), tenant: "shop", token: account).status == .succeeded)
        let answer = try fleet.ask(
            "conversation.feedback", body(message, 1, conversation: conversation), tenant: "shop", token: account)
        #expect(answer.status == .rejected)
        #expect(answer.error?.code == .invalidPayload && answer.error?.field == "/message_id")
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().map(\.attempts) == [4])
        #expect(try ratings(fleet) == ["a -"])
    }

    @Test("Feedback that overtakes its message is not lost")
    func early() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        await fleet.stop()
        // A step so long that the message is there before the last, however slow the machine.
        try fleet.startWorker { $0.ladder = RetryLadder(delaysMilliseconds: [50, 100, 4_000, 200]) }
        try fleet.send("conversation.feedback", body("a", 1), tenant: "shop", token: account, id: "early")
        try await eventually("the job waits on the last step") {
            try fleet.broker.inspectQueue("tenantry.retry.4000")?.messageCount == 1
        }
        #expect(try fleet.ask("conversation.log", TestFleet.log(["a"]), tenant: "shop", token: account).status == .succeeded)
        #expect(try fleet.answer(to: "early").status == .succeeded)
        #expect(try ratings(fleet) == ["a 1 - true"])
        await fleet.stop()
    }
}
