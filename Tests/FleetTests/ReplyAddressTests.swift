internal import AMQP
internal import Contract
internal import Jobs
internal import TestSupport
internal import Testing

@testable internal import Fleet

@Suite(.serialized) struct ReplyAddressTests {
    private static func sender(_ role: Principal.Role) -> Principal {
        let isPlatform = role == .operator || role == .fleet
        return Principal(key: "k", role: role, account: isPlatform ? "" : "acme", tenant: nil, scopes: [])
    }

    @Test(
        "An answer goes where only its sender can know or read the queue",
        arguments: [
            ("amq.rabbitmq.reply-to.g1h2AAtyZXBseUA", true, true, true), ("amq.gen-Xf81", true, true, true),
            ("acme.answers", true, false, true), ("acme.", true, false, true), ("acme", false, false, true),
            ("acme-shop.answers", false, false, true), ("other.answers", false, false, true), ("answers", false, false, true),
            ("Acme.answers", false, false, true), ("amq.topic", false, false, true), ("tenantry.dead", false, false, false),
            ("tenantry.conversation.3", false, false, false), ("tenantry.control", false, false, false),
        ])
    func rule(_ name: String, account: Bool, stranger: Bool, operator: Bool) {
        for role: Principal.Role in [.account, .accountAdmin, .tenantAdmin, .token] {
            #expect((ReplyAddress.refusal(of: name, for: Self.sender(role)) == nil) == account, "\(role)")
        }
        #expect((ReplyAddress.refusal(of: name, for: nil) == nil) == stranger)
        #expect((ReplyAddress.refusal(of: name, for: Self.sender(.operator)) == nil) == `operator`)
    }

    @Test("Nothing reaches a stranger's queue, whatever the job and its sender are")
    func stranger() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let acme = try fleet.makeAccount("acme")
        _ = try fleet.makeAccount("other")
        let token = try fleet.makeToken(["corpus:write"], tenant: nil, token: acme)
        for queue in ["other.answers", "answers", "acme.answers"] { _ = try fleet.broker.declareQueue(queue) }
        let body = #"{"name":"t","scopes":["corpus:write"]}"#
        var ids: [String] = []
        func send(_ kind: String, _ body: String, _ token: String, to queue: String) throws {
            ids.append("job-\(ids.count)")
            try fleet.send(kind, body, token: token, id: ids.last ?? "") { $0.replyTo = queue }
        }
        for queue in ["other.answers", "answers", "tenantry.dead"] {
            try send("token.issue", body, acme, to: queue)
            try send("token.issue", "{", acme, to: queue)
            try send("token.issue", body, token, to: queue)
        }
        // Whoever is not known is answered only where the broker named the queue.
        try send("token.issue", body, "acc_none.none", to: "acme.answers")
        try send("token.nonsense", body, "acc_none.none", to: "acme.answers")
        try await eventually("all are refused") { try fleet.broker.inspectQueue(Topology.deadQueue)?.messageCount == ids.count }
        let letters = try fleet.takeDeadLetters()
        #expect(Set(letters.map(\.jobID)) == Set(ids))
        let named = Set(ids.prefix(9))
        #expect(
            letters.filter { named.contains($0.jobID) }.allSatisfy {
                $0.code == "invalid_payload" && $0.message.contains("reply_to")
            })
        for queue in ["other.answers", "answers", "acme.answers"] {
            #expect(try fleet.broker.inspectQueue(queue)?.messageCount == 0, "\(queue)")
        }
        // Its own queue is answered, of mistakes in the envelope, too; so is whoever the broker named a queue for.
        try send("token.issue", body, acme, to: "acme.answers")
        try send("token.nonsense", body, acme, to: "acme.answers")
        try await eventually("both are answered") { try fleet.broker.inspectQueue("acme.answers")?.messageCount == 2 }
        #expect(try fleet.ask("token.issue", body, token: "acc_none.none").error?.code == .unauthenticated)
        await fleet.stop()
        #expect(try fleet.number("select count(*) from tenantry.credentials where name = 't'") == 1)
    }
}
