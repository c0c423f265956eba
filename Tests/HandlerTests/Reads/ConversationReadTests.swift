internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Conversations

/// What is read of conversations.
@Suite struct ConversationReadTests {
    private static let schema = try! Identifier("tenant_shop")
    private typealias Filter = ConversationSummary.Filter

    private func onStage(_ body: (HandlerStage, Principal) throws -> Void) async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            try stage.run("update tenantry.accounts set created_at = '2023-01-01T00:00:00Z'")
            try body(stage, acme)
        }
    }

    /// Logs messages of one conversation: id, minute of the day, what is said.
    private func log(
        _ stage: HandlerStage, _ acme: Principal, _ conversation: String, _ messages: [(String, Int, String)], user: String = "u",
        channel: String? = nil
    ) throws {
        var payload: [String: JSONValue] = [
            "conversation_id": .string(conversation),
            "messages": .array(
                messages.map { id, minute, content in
                    [
                        "id": .string(id), "role": "user", "user_id": .string(user), "content": .string(content),
                        "sent_at": .string(Self.time(minute)),
                    ]
                }),
        ]
        if let channel { payload["channel"] = .string(channel) }
        let body = String(decoding: JSONValue.object(payload).serialised(), as: UTF8.self)
        let answer = try stage.ask("conversation.log", body, tenant: "shop", by: acme)
        guard answer.status == .succeeded else { throw TestFailure("\(answer)") }
    }

    private static func time(_ minute: Int) -> String {
        RFC3339.text(1_760_000_000_000_000 + Int64(minute) * 60_000_000)
    }

    private func ids(_ stage: HandlerStage, _ filter: Filter = Filter()) throws -> [String] {
        try stage.withDatabase { try ConversationSummary.page(in: Self.schema, filter, after: nil, limit: 50, on: &$0) }.map(\.id)
    }

    @Test("A conversation and its messages are shown, oldest message first, with their ratings")
    func item() async throws {
        try await onStage { stage, acme in
            try log(stage, acme, "c", [("m2", 2, "second"), ("m3", 2, "third"), ("m1", 1, "first")], channel: "web")
            let feedback = #"{"conversation_id":"c","message_id":"m2","rating":-1,"comment":"no"}"#
            #expect(try stage.ask("conversation.feedback", feedback, tenant: "shop", by: acme).status == .succeeded)
            let found = try #require(try stage.withDatabase { try ConversationSummary.find("c", in: Self.schema, on: &$0) })
            #expect(
                ConversationSummary.representation.json(found) == [
                    "id": "c", "started_at": .string(Self.time(1)), "last_message_at": .string(Self.time(2)), "message_count": 3,
                    "channel": "web", "metadata": .null, "preview": "first",
                ])
            let messages = try pages(of: 2, position: \.position) { position, limit in
                try stage.withDatabase {
                    try MessageRecord.page(of: "c", in: Self.schema, after: position, limit: limit, on: &$0)
                }
            }
            #expect(messages.map(\.id) == ["m1", "m2", "m3"])
            let json = MessageRecord.representation.json(messages[1])
            #expect(
                json["rating"] == -1 && json["rating_comment"] == "no" && json["content"] == "second" && json["user_id"] == "u")
            #expect(json["tokens_in"] == .null && json["model"] == .null && json["conversation_id"] == "c")
            #expect(try stage.withDatabase { try ConversationSummary.find("d", in: Self.schema, on: &$0) } == nil)
        }
    }

    @Test("From and to are half-open, on the last message")
    func span() async throws {
        try await onStage { stage, acme in
            try log(stage, acme, "early", [("m1", 1, "x"), ("m2", 10, "x")])
            try log(stage, acme, "late", [("m3", 20, "x")])
            func time(_ minute: Int) -> Timestamp? { Timestamp(rfc3339: Self.time(minute)) }
            #expect(try ids(stage) == ["late", "early"])
            #expect(try ids(stage, Filter(from: time(10))) == ["late", "early"])
            #expect(try ids(stage, Filter(from: time(11))) == ["late"])
            #expect(try ids(stage, Filter(to: time(20))) == ["early"])
            #expect(try ids(stage, Filter(to: time(10))) == [])
            #expect(try ids(stage, Filter(from: time(10), to: time(21))) == ["late", "early"])
        }
    }

    @Test("Channel, user and rating let through the conversations that have them")
    func filters() async throws {
        try await onStage { stage, acme in
            try log(stage, acme, "a", [("m1", 1, "x"), ("m2", 2, "x")], user: "ada", channel: "web")
            try log(stage, acme, "b", [("m3", 3, "x")], user: "bob", channel: "whatsapp")
            try log(stage, acme, "b", [("m4", 4, "x")], user: "ada")
            let feedback = #"{"conversation_id":"a","message_id":"m1","rating":1}"#
            #expect(try stage.ask("conversation.feedback", feedback, tenant: "shop", by: acme).status == .succeeded)
            #expect(try ids(stage, Filter(channel: "web")) == ["a"])
            #expect(try ids(stage, Filter(userID: "ada")) == ["b", "a"])
            #expect(try ids(stage, Filter(userID: "bob")) == ["b"])
            #expect(try ids(stage, Filter(rating: 1)) == ["a"])
            #expect(try ids(stage, Filter(rating: -1)) == [])
            #expect(try ids(stage, Filter(channel: "whatsapp", userID: "ada")) == ["b"])
        }
    }

    @Test("Words are found as they stand, in any message of a conversation")
    func words() async throws {
        try await onStage { stage, acme in
            try log(stage, acme, "a", [("m1", 1, "My CAMERA is broken"), ("m2", 2, "I want a refund")])
            try log(stage, acme, "b", [("m3", 3, #"100% of the "price", it's a_b \ c"#)])
            try log(stage, acme, "c", [("m4", 4, "1000 of the price, its aXb c")])
            #expect(try ids(stage, Filter(words: "refund camera")) == ["a"])
            #expect(try ids(stage, Filter(words: "refund price")) == [])
            #expect(try ids(stage, Filter(words: "price")) == ["c", "b"])
            for word in ["100%", "\"price\"", "it's", "a_b", #"\"#, "%"] {
                #expect(try ids(stage, Filter(words: word)) == ["b"], "\(word)")
            }
            #expect(try ids(stage, Filter(words: "  ")).count == 3)
        }
    }

    @Test("Pages stay right while messages come, early ones too, and conversations come and go", arguments: [1, 2])
    func paging(limit: Int) async throws {
        try await onStage { stage, acme in
            for (place, id) in ["a", "b", "c", "d", "e"].enumerated() {
                try log(stage, acme, id, [("m-\(id)", place * 10 + 10, "x")])
            }
            var isChanged = false
            let seen: [ConversationSummary] = try pages(of: limit, position: \.position) { rows in
                guard !isChanged, rows.count == 2 else { return }
                isChanged = true
                // Seen: e, d. All that has been shown, or is to come, gets messages before and behind the others'.
                for id in ["e", "d", "c", "b"] { try log(stage, acme, id, [("n-\(id)", 1, "x"), ("o-\(id)", 99, "x")]) }
                try log(stage, acme, "f", [("m-f", 60, "x")])
                try log(stage, acme, "aa", [("m-aa", 15, "x")])
                for id in ["d", "b"] {
                    #expect(
                        try stage.ask("conversation.erase", #"{"conversation_id":"\#(id)"}"#, tenant: "shop", by: acme).status
                            == .succeeded)
                }
            } page: { position, limit in
                try stage.withDatabase { try ConversationSummary.page(in: Self.schema, after: position, limit: limit, on: &$0) }
            }
            #expect(seen.map(\.id) == ["e", "d", "c", "aa", "a"])
        }
    }

    @Test("After an erasure that moves the last message back, `to` still finds the conversation")
    func erasure() async throws {
        try await onStage { stage, acme in
            try log(stage, acme, "a", [("m1", 30, "x")], user: "ada")
            try log(stage, acme, "a", [("m2", 10, "x")], user: "bob")
            _ = try stage.ask("conversation.erase", #"{"user_id":"ada"}"#, tenant: "shop", by: acme)
            #expect(try ids(stage, Filter(to: Timestamp(rfc3339: Self.time(11)))) == ["a"])
            #expect(try ids(stage, Filter(from: Timestamp(rfc3339: Self.time(11)))) == [])
        }
    }
}
