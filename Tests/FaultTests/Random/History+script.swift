internal import Contract
internal import Foundation
internal import TestSupport

extension History {
    /// A round of jobs of every kind, about a tenant of its own.
    func go(_ round: Int) async throws {
        let tenant = "\(account)-r\(round)"
        if listener == nil { try await listen() }
        try await open(tenant)
        let issued = try await tell(
            "token.issue", #"{"name":"bot","scopes":["conversation:write","corpus:write"]}"#, tenant: tenant)
        let key = issued["key"]?.string ?? ""
        tenants[tenant]!.tokens[key] = false
        // Its secret is gone if the first answer was lost.
        let token = issued["secret"]?.string.map { "\(key).\($0)" }
        try await template("tpl\(round)", for: tenant)
        let before = told.count
        try await corpus(tenant, token)
        try await conversations(tenant, token)
        try await administrators(round)
        try await change(tenant)
        try await many(round)
        try await webhooks(round, tenant)
        try await rejections(tenant)
        try await tell("usage.aggregate", "{}")
        try await tellAsOperator("account.update", #"{"account":"\#(account)","display_name":"Round \#(round)"}"#)
        displayName = "Round \(round)"
        hear(.accountUpdated)
        if round == 1 { try await rotate() }
        if closedPeriod == nil { try await close() }
        try await tell("token.revoke", #"{"key":"\#(key)"}"#, tenant: tenant)
        tenants[tenant]!.tokens[key] = true
        if token != nil { mayFindRevoked(told[before...].map(\.id)) }
        try await end(round)
    }

    private func open(_ tenant: String) async throws {
        try await tell(
            "tenant.create", #"{"slug":"\#(tenant)","display_name":"New","settings":{"language":"en","colour":"blue"}}"#)
        tenants[tenant] = Tenant(displayName: "New", settings: ["language": #""en""#, "colour": #""blue""#])
        hear(.tenantCreated, tenant)
    }

    private func template(_ name: String, for tenant: String) async throws {
        let documents = (1...2).map { Self.document("\(name)-d\($0)", "What document \($0) of \(name) says.") }
        try await tell(
            "template.save", #"{"name":"\#(name)","settings":{"tone":"kind"},"documents":[\#(documents.joined(separator: ","))]}"#
        )
        templates[name] = ["\(name)-d1", "\(name)-d2"]
        try await tell("template.apply", #"{"template":"\#(name)"}"#, tenant: tenant)
        tenants[tenant]!.documents.formUnion(templates[name]!)
        tenants[tenant]!.settings["tone"] = #""kind""#
    }

    private func corpus(_ tenant: String, _ token: String?) async throws {
        let documents = (1...3).map { Self.document("d\($0)", "Document \($0) of \(tenant) has something to say.") }
        try await tell("corpus.ingest", #"{"documents":[\#(documents.joined(separator: ","))]}"#, tenant: tenant, as: token)
        try await tell(
            "corpus.ingest", #"{"documents":[\#(Self.document("d1", "It says something else now."))]}"#, tenant: tenant, as: token
        )
        try await tell("corpus.remove", #"{"external_ids":["d2"]}"#, tenant: tenant, as: token)
        tenants[tenant]!.documents.formUnion(["d1", "d3"])
    }

    private func conversations(_ tenant: String, _ token: String?) async throws {
        try await log(tenant, "c1", messages: ["m1": "u1", "m2": "u2", "m3": "u1"], as: token)
        try await log(tenant, "c2", messages: ["m4": "u3", "m5": "u1"], as: token)
        try await tell(
            "conversation.feedback", #"{"conversation_id":"c1","message_id":"m2","rating":1}"#, tenant: tenant, as: token)
        tenants[tenant]!.ratings["m2"] = 1
        try await tell("conversation.erase", #"{"conversation_id":"c2"}"#, tenant: tenant)
        tenants[tenant]!.messages.subtract(["m4", "m5"])
    }

    private func log(_ tenant: String, _ conversation: String, messages: [String: String], as token: String?) async throws {
        let now = RFC3339.text(Int64(Date().timeIntervalSince1970) * 1_000_000)
        let list = messages.sorted { $0.key < $1.key }.map {
            #"{"id":"\#($0.key)","role":"user","user_id":"\#($0.value)","content":"hello","sent_at":"\#(now)"}"#
        }
        try await tell(
            "conversation.log", #"{"conversation_id":"\#(conversation)","messages":[\#(list.joined(separator: ","))]}"#,
            tenant: tenant, as: token)
        tenants[tenant]!.messages.formUnion(messages.keys)
        tenants[tenant]!.users.formUnion(messages.values)
        tenants[tenant]!.logged += messages.count
        tenants[tenant]!.conversations += 1
    }

    private func administrators(_ round: Int) async throws {
        let email = "person\(round)@\(account).example"
        try await tell(
            "admin.create", #"{"email":"\#(email)","display_name":"Person","role":"account_admin"}"#)
        guard round.isMultiple(of: 2) else {
            administrators.insert(email)
            return
        }
        try await tell("admin.remove", #"{"email":"\#(email)"}"#)
    }

    /// A webhook that what happens from now on waits for; nobody calls it here.
    private func listen() async throws {
        let made = try await tell(
            "webhook.create", #"{"url":"https://hooks.example.com/\#(account)","events":["account.*","tenant.*","invoice.*"]}"#)
        listener = made["webhook"]?.string
        webhooks[listener ?? ""] = "enabled"
    }

    /// Another one, of a tenant.
    private func webhooks(_ round: Int, _ tenant: String) async throws {
        let made = try await tell(
            "webhook.create", #"{"url":"https://hooks.example.com/\#(round)","events":["limit.#"]}"#, tenant: tenant)
        let id = made["webhook"]?.string ?? ""
        try await tell("webhook.rotate", #"{"webhook":"\#(id)"}"#)
        let delivery = try await tell("webhook.test", #"{"webhook":"\#(id)"}"#)["delivery"]?.string ?? ""
        try await tell("webhook.resend", #"{"webhook":"\#(id)","delivery":"\#(delivery)"}"#)
        try await tell("webhook.update", #"{"webhook":"\#(id)","state":"disabled"}"#)
        webhooks[id] = "disabled"
        if round.isMultiple(of: 2) {
            try await tell("webhook.update", #"{"webhook":"\#(id)","state":"enabled"}"#)
            webhooks[id] = "enabled"
            let recovered = try await tell("webhook.recover", #"{"webhook":"\#(id)","since":"2026-01-01T00:00:00Z"}"#)[
                "recovered"]
            guard recovered == .int(1) else { throw TestFailure("webhook.recover was answered with \(recovered ?? .null)") }
        } else {
            try await tell("webhook.remove", #"{"webhook":"\#(id)"}"#)
            webhooks[id] = nil
        }
    }

    private func change(_ tenant: String) async throws {
        try await tell(
            "tenant.update", #"{"display_name":"Changed","settings":{"language":null,"colour":"red"}}"#, tenant: tenant)
        tenants[tenant]!.displayName = "Changed"
        tenants[tenant]!.settings["language"] = nil
        tenants[tenant]!.settings["colour"] = #""red""#
        hear(.tenantUpdated, tenant)
        mayFindClosed(tenant)
        try await tell("tenant.suspend", "{}", tenant: tenant)
        hear(.tenantSuspended, tenant)
        try await tell("tenant.resume", "{}", tenant: tenant)
        hear(.tenantResumed, tenant)
    }

    /// Three at once, one of which is there already.
    private func many(_ round: Int) async throws {
        let made = ["\(account)-a\(round)", "\(account)-b\(round)"]
        let items = (made + ["\(account)-r\(round)"]).map { #"{"slug":"\#($0)","display_name":"One of many"}"# }
        let result = try await tell("tenant.create_many", #"{"tenants":[\#(items.joined(separator: ","))]}"#)
        guard case .array(let outcomes)? = result["tenants"], outcomes.count == 3, outcomes[2]["status"] == "exists" else {
            throw TestFailure("tenant.create_many was answered with \(result)")
        }
        for tenant in made {
            tenants[tenant] = Tenant(displayName: "One of many")
            hear(.tenantCreated, tenant)
        }
    }

    private func rejections(_ tenant: String) async throws {
        try await tell("tenant.create", #"{"slug":"\#(tenant)","display_name":"Once more"}"#, rejectedAs: .slugTaken)
        try await tell("corpus.ingest", #"{"documents":[]}"#, tenant: tenant, rejectedAs: .invalidPayload)
        try await tell("corpus.remove", "no JSON", tenant: tenant, rejectedAs: .malformedJSON)
        try await tell("tenant.suspend", "{}", tenant: "\(account)-nobody", rejectedAs: .tenantUnknown)
        try await tell(
            "account.create", #"{"slug":"\#(account)-too","display_name":"x","plan":"pro"}"#, rejectedAs: .forbidden)
    }

    private func rotate() async throws {
        let result = try await tell("account.rotate", "{}")
        guard let key = result["key"]?.string, let secret = result["secret"]?.string else { return }
        credential = "\(key).\(secret)"
    }

    /// The invoice of the month before this one.
    private func close() async throws {
        let calendar = Calendar(identifier: .gregorian)
        let day = calendar.date(byAdding: .month, value: -1, to: Date())!
        let parts = calendar.dateComponents([.year, .month], from: day)
        let period = String(format: "%04d-%02d", parts.year!, parts.month!)
        try await tell("billing.close", #"{"period":"\#(period)"}"#)
        closedPeriod = period
        hear(.invoiceCreated)
    }

    /// Archives and restores, or purges, one of the many.
    private func end(_ round: Int) async throws {
        let (archived, purged) = ("\(account)-a\(round)", "\(account)-b\(round)")
        mayFindClosed(archived)
        try await tell("tenant.delete", #"{"mode":"archive"}"#, tenant: archived)
        hear(.tenantArchived, archived)
        if round.isMultiple(of: 2) {
            try await tell("tenant.restore", "{}", tenant: archived)
            hear(.tenantRestored, archived)
        } else {
            tenants[archived]!.state = "archived"
        }
        mayFindClosed(purged)
        try await tell("tenant.delete", #"{"mode":"purge"}"#, tenant: purged)
        tenants[purged]!.state = "purged"
        hear(.tenantPurged, purged)
        guard !round.isMultiple(of: 2) else { return }
        try await tell("template.remove", #"{"name":"tpl\#(round)"}"#)
        templates["tpl\(round)"] = nil
    }

    private static func document(_ id: String, _ content: String) -> String {
        #"{"external_id":"\#(id)","title":"About \#(id)","media_type":"text/plain","content":"\#(content)"}"#
    }
}

extension JSONValue {
    fileprivate var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}
