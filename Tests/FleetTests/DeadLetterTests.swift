internal import AMQP
internal import Contract
internal import Foundation
internal import Jobs
internal import Metering
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Fleet

/// What is kept of jobs that were given up, on real servers.
@Suite struct DeadLetterTests {
    /// The letters that lie there now; they stay.
    private func letters(_ fleet: TestFleet) throws -> [DeadLetterQueue.Letter] {
        let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
        defer { queue.close() }
        var letters: [DeadLetterQueue.Letter] = []
        while let letter = try queue.next() { letters.append(letter) }
        return letters
    }

    private func replay(
        _ fleet: TestFleet, _ id: String? = nil, credential: String? = nil, password: String? = nil,
        change: ((inout Properties, inout [UInt8]) -> Void)? = nil
    ) throws {
        let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
        defer { queue.close() }
        var found = try queue.next()
        while let other = found, let id, other.jobID != id { found = try queue.next() }
        let letter = try #require(found)
        guard let change else { return try queue.replay(letter, credential: credential, password: password) }
        // As a stranger would who got hold of the letter.
        var (properties, body) = (letter.delivery.properties, letter.delivery.withBody { Array($0) })
        change(&properties, &body)
        let kind = letter.delivery.routingKey
        _ = try fleet.broker.publish(exchange: Topology.jobsExchange, routingKey: kind, properties: properties, body: body)
        _ = try fleet.broker.awaitConfirms(timeoutSeconds: 30)
        try queue.discard(letter)
    }

    @Test("No credential is in a dead letter; its seal has the same job done for the same key once its cause is mended")
    func seal() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let body = #"{"slug":"shop","display_name":"Shop","plan":"soon"}"#
        #expect(try fleet.ask("tenant.create", body, token: account, id: "one").error?.code == .invalidPayload)
        let letter = try #require(try letters(fleet).first)
        #expect(letter.delivery.header("authorization") == nil)
        #expect(letter.key == account.split(separator: ".")[0])
        #expect(letter.isSealed && letter.redacted.isEmpty)
        #expect(
            try fleet.texts(
                "select id::text || ' ' || job_id || ' ' || account || ' ' || code || ' ' || is_sealed from tenantry.dead_letters"
            )
                == ["\(letter.id ?? "") one acme invalid_payload true"])
        _ = try Plan.apply(
            TestFleet.plans.map { plan in
                var plan = plan
                plan.tenantPlans.append("soon")
                return plan
            } + [Self.soon], on: &fleet.database)
        try replay(fleet)
        let answer = try fleet.answer(to: "one")
        #expect(answer.status == .succeeded, "\(answer)")
        #expect(try fleet.texts("select credential from tenantry.audit_log where kind = 'tenant.create'") == [letter.key])
        await fleet.stop()
    }

    private static let soon = Plan(name: "soon", displayName: "Soon", thresholds: [100], limits: [:])

    @Test("A seal is worth nothing for another body, id, tenant or key, nor once its key is revoked")
    func forgery() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let other = try fleet.makeAccount("other")
        for slug in ["shop", "bar"] { try fleet.makeTenant(slug, token: account) }
        let changes: [(inout Properties, inout [UInt8]) -> Void] = [
            { $1 = Array(#"{"display_name":"Mine"}"#.utf8) }, { properties, _ in properties.messageID = "two" },
            { properties, _ in properties.headers["tenant"] = "bar" },
            { properties, _ in properties.headers["x-tenantry-key"] = .text(String(other.split(separator: ".")[0])) },
            { properties, _ in properties.headers["x-tenantry-seal"] = .text(String(repeating: "0", count: 64)) },
            { properties, _ in properties.headers["x-tenantry-redacted"] = "/password" },
            { $1 = Array(#"{"password":"mine","display_name":7}"#.utf8) },
        ]
        for (number, change) in changes.enumerated() {
            let isHarmless = number == 5
            #expect(
                try fleet.ask("tenant.update", #"{"display_name":7}"#, tenant: "shop", token: account, id: "one").error != nil)
            try replay(fleet, change: change)
            let ids = isHarmless || number != 1 ? "one" : "two"
            let code = try fleet.answer(to: ids).error?.code
            #expect(code == (isHarmless ? .invalidPayload : .unauthenticated), "\(number)")
            _ = try fleet.takeDeadLetters()
        }
        let token = try fleet.makeToken(["settings:write"], tenant: "shop", token: account)
        #expect(
            try fleet.ask("tenant.update", #"{"settings":7}"#, tenant: "shop", token: token, id: "three").error?.code
                == .invalidPayload)
        let key = String(token.split(separator: ".")[0])
        #expect(try fleet.ask("token.revoke", #"{"key":"\#(key)"}"#, tenant: "shop", token: account).status == .succeeded)
        try replay(fleet)
        #expect(try fleet.answer(to: "three").error?.code == .unauthenticated)
        await fleet.stop()
    }

    @Test("Of a stranger's job the beginning is kept, and it is done only for a credential that is given")
    func stranger() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        let long = String(repeating: "x", count: 100_000)
        _ = try fleet.ask(
            "conversation.log", "{\"a\":\"\(long)\"}", tenant: "shop", token: "who.secret-of-a-stranger", id: "long")
        _ = try fleet.ask(
            "conversation.log", TestFleet.log(["m"]), tenant: "shop", token: "who.secret-of-a-stranger", id: "short")
        let found = try letters(fleet)
        let cut = try #require(found.first { $0.jobID == "long" })
        #expect(cut.delivery.body.count == DeadLetter.keptBytes && cut.isCut)
        #expect(cut.delivery.headerInt("x-tenantry-body-bytes") == 100_008)
        #expect(found.allSatisfy { !$0.isSealed && $0.key == "who" })
        #expect(throws: DeadLetterQueue.NotReplayed.self) { try replay(fleet, "long", credential: account) }
        #expect(throws: DeadLetterQueue.NotReplayed.self) { try replay(fleet, "short") }
        try replay(fleet, "short", credential: account)
        #expect(try fleet.answer(to: "short").status == .succeeded)
        await fleet.stop()
    }

    @Test("A password is not in a dead letter; whoever knows it has the job done")
    func password() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        let body = #"{"email":"ada@shop.ch","display_name":"Ada","role":"tenant_admin","password":"correct horse battery"}"#
        #expect(try fleet.ask("admin.create", body, tenant: "shop", token: account, id: "one").error?.code == .tenantUnknown)
        let letter = try #require(try letters(fleet).first)
        #expect(!String(decoding: letter.delivery.body, as: UTF8.self).contains("horse"))
        #expect(letter.redacted == ["/password"] && letter.isSealed)
        try fleet.makeTenant("shop", token: account)
        #expect(throws: DeadLetterQueue.NotReplayed.self) { try replay(fleet) }
        try replay(fleet, password: "correct horse battery")
        let answer = try fleet.answer(to: "one")
        #expect(answer.status == .succeeded, "\(answer)")
        #expect(try fleet.number("select count(*) from tenantry.administrators where has_password") == 1)
        await fleet.stop()
    }

    @Test("The oldest go when there are too many, or when they are too old")
    func retention() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker {
            $0.mostDeadLetters = 3
            $0.deadIntervalSeconds = 0.1
        }
        let account = try fleet.makeAccount("acme")
        for number in 0..<6 {
            #expect(try fleet.ask("tenant.create", "{}", token: account, id: "j\(number)").error?.code == .invalidPayload)
        }
        func rows() throws -> [String] { try fleet.texts("select job_id from tenantry.dead_letters order by 1") }
        // Rows first: whoever looks at the letters has them in his hands meanwhile.
        try await eventually("three rows are left") { try rows() == ["j3", "j4", "j5"] }
        #expect(try letters(fleet).map(\.jobID).sorted() == ["j3", "j4", "j5"])
        try fleet.database.run(
            script: "update tenantry.dead_letters set failed_at = now() - interval '31 days' where job_id = 'j4'")
        try await eventually("the old one is gone") { try rows() == ["j3", "j5"] }
        #expect(try letters(fleet).map(\.jobID).sorted() == ["j3", "j5"])
        await fleet.stop()
    }

    @Test("Rows and letters are brought in step, whichever of them is missing")
    func steps() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.deadIntervalSeconds = 0.1 }
        let account = try fleet.makeAccount("acme")
        for id in ["a", "b"] { _ = try fleet.ask("tenant.create", "{}", token: account, id: id) }
        try fleet.database.run(script: "delete from tenantry.dead_letters where job_id = 'a'")
        // As a version without rows and seals would have left it.
        var properties = Properties(contentType: "application/json")
        properties.messageID = "c"
        properties.headers = ["authorization": .text("Bearer \(account)"), "x-tenantry-error-code": "forbidden"]
        _ = try fleet.broker.publish(
            exchange: Topology.deadExchange, routingKey: "tenant.create", properties: properties, body: "{}")
        _ = try fleet.broker.awaitConfirms(timeoutSeconds: 30)
        func rows() throws -> [String] {
            try fleet.texts("select job_id || ' ' || account || ' ' || code from tenantry.dead_letters order by 1")
        }
        try await eventually("all have rows") {
            try rows() == ["a acme invalid_payload", "b acme invalid_payload", "c  forbidden"]
        }
        #expect(try letters(fleet).allSatisfy { $0.delivery.header("authorization") == nil && $0.id != nil })
        try fleet.database.run(
            script:
                "update tenantry.dead_letters set failed_at = failed_at - interval '1 hour', seen_at = seen_at - interval '1 hour'"
        )
        _ = try fleet.takeDeadLetters()
        try await eventually("rows without letters are gone") { try rows() == [] }
        await fleet.stop()
    }

    @Test("A row without a letter and a letter without a row are found, though their numbers agree")
    func cancelledOut() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.deadIntervalSeconds = 0.1 }
        let account = try fleet.makeAccount("acme")
        for id in ["a", "b"] { _ = try fleet.ask("tenant.create", "{}", token: account, id: id) }
        let queue = try DeadLetterQueue(BrokerURL(fleet.brokerURL))
        while let letter = try queue.next() {
            if letter.jobID == "b" { try queue.discard(letter) }
        }
        queue.close()
        // In one transaction, so that the numbers never differ.
        try fleet.database.run(
            script: """
                delete from tenantry.dead_letters where job_id = 'a';
                update tenantry.dead_letters set failed_at = now() - interval '31 days' where job_id = 'b'
                """)
        try await eventually("each is what it should be") {
            try fleet.texts("select job_id from tenantry.dead_letters order by 1") == ["a"]
        }
        await fleet.stop()
    }

    @Test("What is erased is erased from dead letters, and a purge takes all of a tenant's")
    func erasure() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker { $0.deadIntervalSeconds = 0.1 }
        let account = try fleet.makeAccount("acme")
        for slug in ["shop", "bar"] { try fleet.makeTenant(slug, token: account) }
        func fail(_ id: String, _ conversation: String, user: String, tenant: String = "shop") throws {
            let body = TestFleet.log(["m"], conversation: conversation, user: user).replacing(
                "\"sent_at\":\"2", with: "\"sent_at\":\"x2")
            #expect(
                try fleet.ask("conversation.log", body, tenant: tenant, token: account, id: id).error?.code == .invalidPayload)
        }
        func rows() throws -> [String] { try fleet.texts("select job_id from tenantry.dead_letters order by 1") }
        try fail("1", "a", user: "eve")
        try fail("2", "b", user: "bob")
        try fail("3", "c", user: "bob")
        try fail("4", "a", user: "eve", tenant: "bar")
        #expect(
            try fleet.ask("conversation.erase", #"{"conversation_id":"b"}"#, tenant: "shop", token: account).status == .succeeded)
        try await eventually("the conversation's letter is gone") { try rows() == ["1", "3", "4"] }
        #expect(try fleet.ask("conversation.erase", #"{"user_id":"eve"}"#, tenant: "shop", token: account).status == .succeeded)
        try await eventually("the user's letter is gone") { try rows() == ["3", "4"] }
        // One that was still being tried when it was asked for.
        try fail("5", "d", user: "eve")
        try await eventually("so is one that came later") { try rows() == ["3", "4"] }
        #expect(try fleet.ask("tenant.delete", #"{"mode":"purge"}"#, tenant: "shop", token: account).status == .succeeded)
        try await eventually("the tenant's letters are gone") { try rows() == ["4"] }
        #expect(try letters(fleet).map(\.jobID) == ["4"])
        #expect(
            try fleet.texts("select distinct pg_typeof(digest)::text from tenantry.dead_letter_erasures where field is not null")
                == ["bytea"])
        await fleet.stop()
    }

    @Test("A letter that came back often goes to the queue's end as a new message, and none is lost")
    func redelivered() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        for id in ["a", "b"] { _ = try fleet.ask("tenant.create", "{}", token: account, id: id) }
        for _ in 0..<20 { #expect(try letters(fleet).map(\.jobID).sorted() == ["a", "b"]) }
        #expect(try letters(fleet).allSatisfy { $0.delivery.headerInt("x-delivery-count") ?? 0 <= 8 })
        await fleet.stop()
    }
}
