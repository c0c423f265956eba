internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Conversations

/// `conversation.erase`: what was said goes, what was counted stays.
@Suite(.serialized) struct ConversationEraseTests {
    /// A conversation's message, so many minutes ago.
    private struct Said {
        var id: String
        var conversation: String
        var user: String?
        var minutesAgo: Int
        var tokens = 0

        static func job(_ all: [Said]) -> String {
            let now = Int64(Date().timeIntervalSince1970)
            let messages = all.map { said in
                let user = said.user.map { #","role":"user","user_id":"\#($0)""# } ?? #","role":"assistant""#
                let at = RFC3339.text((now - Int64(said.minutesAgo) * 60) * 1_000_000)
                return #"{"id":"\#(said.id)","content":"x","sent_at":"\#(at)","tokens_in":\#(said.tokens)\#(user)}"#
            }
            return #"{"conversation_id":"\#(all[0].conversation)","messages":[\#(messages.joined(separator: ","))]}"#
        }
    }

    private static let said: [[Said]] = [
        // Ann alone, with an assistant.
        [
            Said(id: "1", conversation: "alone", user: "ann", minutesAgo: 300, tokens: 5),
            Said(id: "2", conversation: "alone", minutesAgo: 299, tokens: 7),
            Said(id: "3", conversation: "alone", user: "ann", minutesAgo: 100),
        ],
        // Ann begins and ends, Bob and a tool between.
        [
            Said(id: "4", conversation: "both", user: "ann", minutesAgo: 298, tokens: 11),
            Said(id: "5", conversation: "both", user: "bob", minutesAgo: 90, tokens: 13),
            Said(id: "6", conversation: "both", minutesAgo: 89),
            Said(id: "7", conversation: "both", user: "ann", minutesAgo: 5),
        ],
        [
            Said(id: "8", conversation: "bob's", user: "bob", minutesAgo: 91, tokens: 17),
            Said(id: "9", conversation: "bob's", minutesAgo: 88),
        ],
        [Said(id: "10", conversation: "nobody's", minutesAgo: 400)],
    ]

    private func makeFleet() async throws -> (fleet: TestFleet, token: String) {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount("acme", plan: "enterprise-plus", #","timezone":"Asia/Kathmandu""#)
        try fleet.makeTenant("shop", token: token)
        for job in Self.said {
            #expect(try fleet.ask("conversation.log", Said.job(job), tenant: "shop", token: token).status == .succeeded)
        }
        return (fleet, token)
    }

    /// Counters, pools and hours, after an aggregation that had nothing to correct.
    private func counted(_ fleet: TestFleet, _ token: String) async throws -> [String] {
        let answer = try fleet.ask("usage.aggregate", "{}", token: token)
        #expect(answer.result?["corrections"] == 0, "\(answer)")
        try await eventually("pools are swept") { try fleet.number("select count(*) from tenantry.usage_deltas") == 0 }
        return try fleet.texts(
            """
            select concat_ws(' ', tenant, period_start, messages, conversations, active_users, tokens) from tenantry.tenant_usage
            union all
            select concat_ws(' ', 'pool', period_start, messages, conversations, active_users, tokens) from tenantry.account_usage
            union all
            select concat_ws(' ', hour, metric, value) from tenant_shop.usage_hourly
            order by 1
            """)
    }

    private func erase(_ fleet: TestFleet, _ payload: String, token: String, id: String = TestFleet.newID()) throws -> Answer {
        try fleet.ask("conversation.erase", payload, tenant: "shop", token: token, id: id)
    }

    private func result(_ messages: Int64, _ conversations: Int64, _ users: Int64) -> [String: JSONValue] {
        [
            "rows": .int(messages + conversations + users), "messages": .int(messages), "conversations": .int(conversations),
            "active_users": .int(users),
        ]
    }

    @Test("A user goes with what only the user took part in; counters, pools and hours come out as before")
    func user() async throws {
        let (fleet, token) = try await makeFleet()
        let before = try await counted(fleet, token)
        let periods = try fleet.number("select count(*) from tenant_shop.active_users where user_id = 'ann'")
        let began = try fleet.texts("select started_at::text from tenant_shop.conversations where id = 'both'")
        let answer = try erase(fleet, #"{"user_id":"ann"}"#, token: token, id: "erase")
        #expect(answer.result == .object(result(5, 1, periods)), "\(answer)")
        #expect(try fleet.texts("select id from tenant_shop.messages order by id") == ["10", "5", "6", "8", "9"])
        #expect(try fleet.number("select count(*) from tenant_shop.active_users where user_id = 'ann'") == 0)
        #expect(
            try fleet.texts(
                """
                select c.id from tenant_shop.conversations c
                join (select conversation_id, count(*) as n, min(sent_at) as first, max(sent_at) as last from tenant_shop.messages group by 1) m
                on m.conversation_id = c.id and (c.message_count, c.last_message_at) = (m.n, m.last)
                where c.started_at = m.first or c.id = 'both' order by 1
                """) == ["bob's", "both", "nobody's"])
        #expect(
            try fleet.texts("select started_at::text from tenant_shop.conversations where id = 'both'") == began, "as it was")
        #expect(try fleet.number("select count(*) from tenant_shop.conversations") == 3)
        #expect(try await counted(fleet, token) == before)
        #expect(try erase(fleet, #"{"user_id":"ann"}"#, token: token, id: "erase").result == answer.result, "a repeat")
        #expect(try erase(fleet, #"{"user_id":"ann"}"#, token: token).result == .object(result(0, 0, 0)))
        #expect(
            try fleet.number("select count(*) from tenantry.audit_log where kind = 'conversation.erase' and tenant = 'shop'") == 2
        )

        // What is left goes, too.
        let bob = try fleet.number("select count(*) from tenant_shop.active_users where user_id = 'bob'")
        #expect(try erase(fleet, #"{"user_id":"bob"}"#, token: token).result == .object(result(4, 2, bob)))
        #expect(try erase(fleet, #"{"conversation_id":"nobody's"}"#, token: token).result == .object(result(1, 1, 0)))
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == 0)
        #expect(try await counted(fleet, token) == before)

        // The recount knows what was erased, also where a counter is wrong.
        try fleet.database.run(
            script:
                "update tenantry.tenant_usage set messages = 1, conversations = 0, active_users = 99, tokens = 3 where messages > 0"
        )
        #expect(try fleet.ask("usage.aggregate", "{}", token: token).status == .succeeded)
        // The pool was right before and is moved by the correction; the same aggregation puts it back.
        #expect(try await counted(fleet, token) == before)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("After an erasure a message from before moves a conversation to an earlier hour, and no hour has less than nothing")
    func earlier() async throws {
        let (fleet, token) = try await makeFleet()
        #expect(try erase(fleet, #"{"user_id":"ann"}"#, token: token).status == .succeeded)
        let job = Said.job([Said(id: "first", conversation: "both", user: "bob", minutesAgo: 500)])
        #expect(try fleet.ask("conversation.log", job, tenant: "shop", token: token).status == .succeeded)
        _ = try await counted(fleet, token)
        #expect(try fleet.texts("select hour || ' ' || metric from tenant_shop.usage_hourly where value <= 0") == [])
        #expect(
            try fleet.texts(
                "select hour::text from tenant_shop.usage_hourly where metric = 'conversations' and value > 0 order by 1"
            )
            .count
                == fleet.number(
                    "select count(distinct hour) from tenant_shop.usage_hourly where metric = 'conversations'"))
        #expect(
            try fleet.number("select sum(value)::int8 from tenant_shop.usage_hourly where metric = 'conversations'") == 4)
        await fleet.stop()
    }

    @Test("A conversation goes with all that anybody said in it")
    func conversation() async throws {
        let (fleet, token) = try await makeFleet()
        let before = try await counted(fleet, token)
        #expect(try erase(fleet, #"{"conversation_id":"both"}"#, token: token).result == .object(result(4, 1, 0)))
        #expect(try fleet.number("select count(*) from tenant_shop.messages where conversation_id = 'both'") == 0)
        #expect(try fleet.number("select count(*) from tenant_shop.conversations") == 3)
        #expect(try await counted(fleet, token) == before)
        #expect(try erase(fleet, #"{"conversation_id":"both"}"#, token: token).result == .object(result(0, 0, 0)))
        #expect(try erase(fleet, #"{"conversation_id":"ghost"}"#, token: token).result == .object(result(0, 0, 0)))
        await fleet.stop()
    }

    @Test("A log job that comes again brings nothing back and counts nothing; what is new is taken and counted")
    func redelivered() async throws {
        let (fleet, token) = try await makeFleet()
        let before = try await counted(fleet, token)
        let active = try fleet.number("select sum(active_users)::int8 from tenantry.tenant_usage")
        #expect(try erase(fleet, #"{"user_id":"ann"}"#, token: token).status == .succeeded)
        for (index, job) in Self.said.enumerated() {
            let answer = try fleet.ask("conversation.log", Said.job(job), tenant: "shop", token: token)
            #expect(answer.duplicate && answer.result == ["accepted": 0, "duplicates": .int(Int64(job.count))], "job \(index)")
        }
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == 5)
        #expect(try fleet.number("select count(*) from tenant_shop.conversations where id = 'alone'") == 0)
        #expect(try await counted(fleet, token) == before)

        // One old, one new.
        let mixed = [Self.said[0][0], Said(id: "new", conversation: "alone", user: "ann", minutesAgo: 0, tokens: 1)]
        let answer = try fleet.ask("conversation.log", Said.job(mixed), tenant: "shop", token: token)
        #expect(answer.result == ["accepted": 1, "duplicates": 1])
        #expect(
            try fleet.texts("select id || ' ' || message_count from tenant_shop.conversations where id = 'alone'") == ["alone 1"])
        #expect(try fleet.texts("select id from tenant_shop.messages where user_id = 'ann'") == ["new"])
        #expect(try fleet.number("select sum(messages)::int8 from tenantry.tenant_usage") == 11)
        #expect(
            try fleet.number("select sum(active_users)::int8 from tenantry.tenant_usage") == active + 1,
            "who was forgotten is a new user")
        _ = try await counted(fleet, token)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test(
        "A batch that was under way before a tenant's first erasure, and waited for it, brings nothing back",
        arguments: [true, false])
    func waiting(_ isFirst: Bool) async throws {
        let (fleet, token) = try await makeFleet()
        if !isFirst { #expect(try erase(fleet, #"{"conversation_id":"nobody's"}"#, token: token).status == .succeeded) }
        let count = try fleet.number("select count(*) from tenant_shop.messages where conversation_id <> 'alone'")
        // What the handler does, step by step, with a log job between.
        try fleet.database.begin()
        try fleet.database.run(script: "lock table tenant_shop.messages in share row exclusive mode")
        try fleet.send("conversation.log", Said.job(Self.said[0]), tenant: "shop", token: token, id: "again")
        try await eventually("the log job waits") {
            try fleet.number("select count(*) from pg_locks where not granted and relation = 'tenant_shop.messages'::regclass")
                == 1
        }
        var parameters = Parameters()
        for text in ["shop", "Asia/Kathmandu", "alone"] { parameters.append(text) }
        _ = try fleet.database.query(ErasureSQL.conversation(try Identifier("tenant_shop")), parameters)
        try fleet.database.commit()
        #expect(try fleet.answer(to: "again").result == ["accepted": 0, "duplicates": 3])
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == count)
        _ = try await counted(fleet, token)
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }

    @Test("Log jobs that come again while their messages are erased bring nothing back, also at a tenant's first erasure")
    func meanwhile() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let token = try fleet.makeAccount("acme", plan: "enterprise-plus")
        let tenants = (0..<12).map { "t\($0)" }
        for slug in tenants {
            try fleet.makeTenant(slug, token: token)
            let jobs = (0..<5).map { TestFleet.log(["\($0)"], conversation: "c", user: "u") }
            for job in jobs { #expect(try fleet.ask("conversation.log", job, tenant: slug, token: token).status == .succeeded) }
        }
        await fleet.stop()
        var ids: [String] = []
        for slug in tenants {
            for round in 0..<10 {
                let id = "\(slug)-\(round)"
                ids.append(id)
                let log = TestFleet.log(["\(round % 5)"], conversation: "c", user: "u")
                try fleet.send("conversation.log", log, tenant: slug, token: token, id: id)
                guard round == 2 else { continue }
                ids.append("erase-\(slug)")
                try fleet.send("conversation.erase", #"{"conversation_id":"c"}"#, tenant: slug, token: token, id: "erase-\(slug)")
            }
        }
        try fleet.startWorker {
            $0.lanes = [.conversation: 4]
            $0.batchLimit = 3
        }
        for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
        for slug in tenants {
            #expect(try fleet.number("select count(*) from tenant_\(slug).messages") == 0, "\(slug)")
            #expect(
                try fleet.number("select messages from tenantry.tenant_usage where tenant = '\(slug)' and messages > 0") == 5,
                "\(slug)")
        }
        await fleet.stop()
        #expect(try fleet.takeDeadLetters().isEmpty)
    }
}
