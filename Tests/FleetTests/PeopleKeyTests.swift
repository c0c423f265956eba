internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import TestSupport
internal import Testing

/// Keys that are handed on, withdrawn and rotated.
@Suite(.serialized) struct PeopleKeyTests {
    private func scene() async throws -> (fleet: TestFleet, account: String) {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let account = try fleet.makeAccount("acme")
        try fleet.makeTenant("shop", token: account)
        return (fleet, account)
    }

    private func key(_ token: String) -> String { String(token.split(separator: ".")[0]) }

    private func bearer(_ answer: Answer) throws -> String {
        guard case .string(let key)? = answer.result?["key"], case .string(let secret)? = answer.result?["secret"] else {
            throw TestFailure("no credential: \(answer)")
        }
        return "\(key).\(secret)"
    }

    private func refusal(_ token: String, _ fleet: TestFleet) throws -> ErrorCode? {
        try fleet.ask("conversation.log", TestFleet.log([TestFleet.newID()]), tenant: "shop", token: token).error?.code
    }

    @Test("A withdrawn token takes along what it handed on, from hand to hand, and nothing else")
    func handedOn() async throws {
        let (fleet, account) = try await scene()
        let scopes = ["conversation:write"]
        let first = try fleet.makeToken(scopes, tenant: "shop", token: account)
        let second = try fleet.makeToken(scopes, tenant: nil, token: first)
        let third = try fleet.makeToken(scopes, tenant: nil, token: second)
        let sibling = try fleet.makeToken(scopes, tenant: nil, token: first)
        let other = try fleet.makeToken(scopes, tenant: "shop", token: account)
        let rotated = try bearer(fleet.ask("account.rotate", "{}", token: account))
        #expect(
            try fleet.texts(
                "select coalesce(issued_by, '-') from tenantry.credentials where key in ('\(key(first))', '\(key(third))') order by 1"
            )
                == ["-", key(second)], "an account's tokens are nobody's children")

        #expect(
            try fleet.ask("token.revoke", #"{"key":"\#(key(second))"}"#, token: account).result?["revoked"]
                == .array([
                    .string(key(second)), .string(key(third)),
                ]))
        for (token, code) in [(first, nil), (sibling, nil), (second, .unauthenticated), (third, .unauthenticated)]
            as [(String, ErrorCode?)]
        {
            #expect(try refusal(token, fleet) == code)
        }
        #expect(try fleet.ask("token.revoke", #"{"key":"\#(key(first))"}"#, token: first).status == .succeeded)
        for token in [first, sibling] { #expect(try refusal(token, fleet) == .unauthenticated) }
        for token in [other, account, rotated] { #expect(try refusal(token, fleet) == nil) }
        await fleet.stop()
    }

    @Test("A token that hands on while it is withdrawn leaves nothing behind that works")
    func handedOnMeanwhile() async throws {
        let (fleet, account) = try await scene()
        for _ in 0..<5 {
            let token = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
            await fleet.stop()
            let ids = (0..<12).map { _ in TestFleet.newID() }
            for (index, id) in ids.enumerated() {
                if index == 6 { try fleet.send("token.revoke", #"{"key":"\#(key(token))"}"#, token: account) }
                try fleet.send("token.issue", #"{"name":"child","scopes":["conversation:write"]}"#, token: token, id: id)
            }
            try fleet.startWorker { $0.lanes = [.tenant: 6, .conversation: 1] }
            for id in ids {
                let answer = try fleet.answer(to: id)
                #expect(answer.error == nil || answer.error?.code == .unauthenticated, "\(answer)")
            }
            try await eventually("the token is withdrawn") {
                try fleet.number("select count(*) from tenantry.credentials where key = '\(key(token))' and revoked_at is null")
                    == 0
            }
            #expect(
                try fleet.number("select count(*) from tenantry.credentials where name = 'child' and revoked_at is null") == 0)
        }
        await fleet.stop()
    }

    @Test("An account's credential is rotated under jobs that are sent all along, and none is refused")
    func withoutGap() async throws {
        let (fleet, old) = try await scene()
        var jobs: [String] = []
        func log(_ count: Int, _ tokens: String...) throws {
            for index in 0..<count {
                let id = TestFleet.newID()
                try fleet.send(
                    "conversation.log", TestFleet.log([id]), tenant: "shop", token: tokens[index % tokens.count], id: id)
                jobs.append(id)
            }
        }
        try log(20, old)
        try fleet.send("account.rotate", #"{"overlap_seconds":3600}"#, token: old, id: "rotation")
        try log(20, old)
        let answer = try fleet.answer(to: "rotation")
        let new = try bearer(answer)
        #expect(new.hasPrefix("acc_"))
        try log(40, old, new)
        try log(20, new)
        for id in jobs { #expect(try fleet.answer(to: id).status == .succeeded) }
        #expect(try fleet.number("select count(*) from tenant_shop.messages") == 100)
        guard case .string(let end)? = answer.result?["earlier_end_at"] else { throw TestFailure("\(answer)") }
        let ends = "select count(*) from tenantry.credentials where key = '\(key(old))' and expires_at = '\(end)'"
        #expect(
            try fleet.number(ends + " and expires_at between now() + interval '59 minutes' and now() + interval '1 hour'") == 1)

        // What ends sooner still does; with no overlap, all of it ends at once.
        let third = try bearer(fleet.ask("account.rotate", #"{"account":"acme","overlap_seconds":7200}"#, token: new))
        #expect(try fleet.number(ends) == 1)
        let fourth = try bearer(
            fleet.ask("account.rotate", #"{"account":"acme","overlap_seconds":0}"#, token: fleet.operatorToken))
        for token in [old, new, third] { #expect(try refusal(token, fleet) == .unauthenticated) }
        #expect(try refusal(fourth, fleet) == nil)
        await fleet.stop()
    }

    @Test("Whose credential is rotated")
    func whose() async throws {
        let (fleet, account) = try await scene()
        _ = try fleet.makeAccount("else")
        let person = #"{"email":"a@x.ch","display_name":"A","role":"account_admin"}"#
        let admin = try bearer(fleet.ask("admin.create", person, token: account))
        let calls: [(body: String, token: String, expected: String)] = [
            (#"{"account":"else"}"#, account, "forbidden /account"), (#"{"account":"else"}"#, admin, "forbidden -"),
            (#"{}"#, fleet.operatorToken, "invalid_payload /account"),
            (#"{"account":"nobody"}"#, fleet.operatorToken, "account_unknown /account"),
            (#"{"overlap_seconds":2592001}"#, account, "invalid_payload /overlap_seconds"),
            (#"{}"#, admin, "forbidden -"), (#"{"account":"acme"}"#, account, "succeeded"),
            (#"{"account":"else"}"#, fleet.operatorToken, "succeeded"),
        ]
        for call in calls {
            let answer = try fleet.ask("account.rotate", call.body, token: call.token)
            let became = answer.error.map { "\($0.code.rawValue) \($0.field ?? "-")" } ?? "succeeded"
            #expect(became == call.expected, "\(call.body): \(answer)")
        }
        let refused = try fleet.ask("account.rotate", "{}", token: admin)
        #expect(refused.error?.message.contains("would outlast an administrator") == true, "\(refused)")
        // A person's credential is no account's: it goes on.
        #expect(
            try fleet.number("select count(*) from tenantry.credentials where key = '\(key(admin))' and expires_at = 'infinity'")
                == 1)
        await fleet.stop()
    }

    @Test("Of rotations at once, the last one's credential alone goes on")
    func rotationsAtOnce() async throws {
        let (fleet, account) = try await scene()
        await fleet.stop()
        let ids = (0..<8).map { "rotation-\($0)" }
        for id in ids { try fleet.send("account.rotate", "{}", token: account, id: id) }
        try fleet.startWorker { $0.lanes = [.account: 4] }
        for id in ids { #expect(try fleet.answer(to: id).status == .succeeded) }
        #expect(try fleet.number("select count(*) from tenantry.credentials where role = 'account'") == 9)
        #expect(
            try fleet.number("select count(*) from tenantry.credentials where role = 'account' and expires_at = 'infinity'") == 1)
        await fleet.stop()
    }

    @Test("Administrators of two tenants who use one job id without the header get none of each other's answers")
    func sameIDInTwoTenants() async throws {
        let (fleet, account) = try await scene()
        try fleet.makeTenant("blog", token: account)
        let body = #"{"email":"a@x.ch","display_name":"A","role":"tenant_admin"}"#
        let shop = try bearer(fleet.ask("admin.create", body, tenant: "shop", token: account))
        let blog = try bearer(fleet.ask("admin.create", body, tenant: "blog", token: account))
        let jobs = [
            ("token.issue", #"{"name":"t","scopes":["corpus:write"]}"#),
            ("admin.create", #"{"email":"b@x.ch","display_name":"B","role":"tenant_admin"}"#), ("usage.aggregate", "{}"),
        ]
        for (kind, body) in jobs {
            let first = try fleet.ask(kind, body, token: shop, id: kind)
            #expect(first.status == .succeeded, "\(first)")
            let other = try fleet.ask(kind, body, token: blog, id: kind)
            // Its ids are its own.
            #expect(other.status == .succeeded && !other.duplicate, "\(other)")
            #expect(other.result?["key"] == nil || other.result?["key"] != first.result?["key"])
            // The header says no more than the sender is limited to anyway.
            for tenant in [nil, "shop"] {
                let again = try fleet.ask(kind, body, tenant: tenant, token: shop, id: kind)
                #expect(again.duplicate && again.result?["key"] == first.result?["key"], "\(again)")
            }
        }
        await fleet.stop()
    }

    /// A token that ends at this time.
    private func token(endingAt end: String, tenant: String? = "shop", by sender: String, _ fleet: TestFleet) throws -> String {
        let body = #"{"name":"t","scopes":["conversation:write"],"expires_at":"\#(end)"}"#
        return try bearer(fleet.ask("token.issue", body, tenant: tenant, token: sender))
    }

    @Test("A token ends when it was said to, and what it hands on no later")
    func ends() async throws {
        let (fleet, account) = try await scene()
        let early = "2041-02-03T04:05:06.789Z"
        let late = "2042-01-01T00:00:00Z"
        let first = try token(endingAt: early, by: account, fleet)
        let open = try fleet.makeToken(["conversation:write"], tenant: nil, token: first)
        let longer = try token(endingAt: late, tenant: nil, by: first, fleet)
        let shorter = try token(endingAt: "2041-01-01T00:00:00+01:00", tenant: nil, by: first, fleet)
        let expected = [(first, early), (open, early), (longer, early), (shorter, "2040-12-31T23:00:00Z")]
        for (token, end) in expected {
            #expect(
                try fleet.number(
                    "select count(*) from tenantry.credentials where key = '\(key(token))' and expires_at = '\(end)'") == 1,
                "\(end)")
            #expect(try refusal(token, fleet) == nil)
        }
        await fleet.stop()
    }

    @Test("A token that ends while a worker remembers it stops")
    func endsUnderWorker() async throws {
        let (fleet, account) = try await scene()
        let end = RFC3339.text(Int64(Date().timeIntervalSince1970 * 1_000) * 1_000 + 6_000_000)
        let token = try token(endingAt: end, by: account, fleet)
        #expect(try refusal(token, fleet) == nil, "the worker knows it now")
        let version = try fleet.number("select version from tenantry.directory")
        try await eventually("it is refused", within: 30) { try refusal(token, fleet) == .unauthenticated }
        #expect(try fleet.number("select version from tenantry.directory") == version, "nobody told the worker")
        #expect(
            try fleet.number("select count(*) from tenantry.credentials where key = '\(key(token))' and expires_at <= now()") == 1
        )
        await fleet.stop()
    }
}
