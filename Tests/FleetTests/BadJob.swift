internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import TestSupport
internal import Testing

/// A job that must be rejected, and as what. Bodies and credentials are looked up by name when the batch is sent.
struct BadJob: Sendable, CustomTestStringConvertible {
    /// Which credential goes with it.
    enum Sender: String, Sendable {
        case account, `operator`, prefixed, narrow, docs, bytes
        case othersToken, scopelessToken, revokedToken, expiredToken, wrongSecret
        case none
    }

    let name: String
    let kind: String
    let body: [UInt8]
    let tenant: String?
    let sender: Sender
    let code: ErrorCode
    let field: String?
    let isAnswered: Bool
    let adjust: @Sendable (inout Properties) -> Void

    var testDescription: String { name }

    init(
        _ name: String, _ kind: String, _ body: [UInt8], tenant: String? = nil, as sender: Sender = .account, _ code: ErrorCode,
        _ field: String? = nil, isAnswered: Bool = true, adjust: @escaping @Sendable (inout Properties) -> Void = { _ in }
    ) {
        self.name = name
        self.kind = kind
        self.body = body
        self.tenant = tenant
        self.sender = sender
        self.code = code
        self.field = field
        self.isAnswered = isAnswered
        self.adjust = adjust
    }

    init(
        _ name: String, _ kind: String, _ body: String, tenant: String? = nil, as sender: Sender = .account, _ code: ErrorCode,
        _ field: String? = nil, isAnswered: Bool = true, adjust: @escaping @Sendable (inout Properties) -> Void = { _ in }
    ) {
        self.init(name, kind, Array(body.utf8), tenant: tenant, as: sender, code, field, isAnswered: isAnswered, adjust: adjust)
    }

    static let all = payloads + envelopes + credentials + administration + limits

    /// A `conversation.log` body around messages.
    private static func log(_ messages: String) -> String { #"{"conversation_id":"bad","messages":[\#(messages)]}"# }

    private static let good = #"{"id":"bad-0","role":"user","content":"x","sent_at":"2026-01-01T00:00:00Z"}"#
    private static let twoDaysAhead = RFC3339.text(Int64(Date().timeIntervalSince1970 + 172_800) * 1_000_000)
    private static let longID = String(repeating: "i", count: 129)

    private static func ofShop(
        _ name: String, _ body: String, _ code: ErrorCode = .invalidPayload, _ field: String? = nil,
        adjust: @escaping @Sendable (inout Properties) -> Void = { _ in }
    ) -> BadJob {
        BadJob(name, "conversation.log", body, tenant: "shop", code, field, adjust: adjust)
    }

    private static let payloads: [BadJob] = [
        ofShop("not JSON", #"{"conversation_id":"#, .malformedJSON),
        BadJob("not UTF-8", "conversation.log", Array(log(good).utf8) + [0xFF], tenant: "shop", .malformedJSON),
        ofShop("an empty body", "", .malformedJSON),
        ofShop(
            "a wrong type at a nested place", log(#"\#(good),{"id":"b","role":"user","content":"x","sent_at":17}"#),
            .invalidPayload,
            "/messages/1/sent_at"),
        ofShop(
            "a missing field", log(#"\#(good),{"id":"b","content":"x","sent_at":"2026-01-01T00:00:00Z"}"#), .invalidPayload,
            "/messages/1/role"),
        ofShop(
            "NUL in a text", log(#"\#(good),{"id":"b","role":"user","content":"x\u0000","sent_at":"2026-01-01T00:00:00Z"}"#),
            .invalidPayload, "/messages/1/content"),
        ofShop(
            "sent more than a day ahead", log(#"{"id":"b","role":"user","content":"x","sent_at":"\#(twoDaysAhead)"}"#),
            .invalidPayload, "/messages/0/sent_at"),
        ofShop(
            "a too long message id", log(#"{"id":"\#(longID)","role":"user","content":"x","sent_at":"2026-01-01T00:00:00Z"}"#),
            .invalidPayload, "/messages/0/id"),
        ofShop(
            "a too long conversation id", #"{"conversation_id":"\#(longID)","messages":[\#(good)]}"#, .invalidPayload,
            "/conversation_id"),
        ofShop("no messages", log(""), .invalidPayload, "/messages"),
        ofShop("an array for a payload", "[\(good)]", .invalidPayload, ""),
        ofShop(
            "an unknown role", log(#"{"id":"b","role":"bot","content":"x","sent_at":"2026-01-01T00:00:00Z"}"#), .invalidPayload,
            "/messages/0/role"),
        ofShop(
            "a number that no database holds",
            log(#"{"id":"b","role":"user","content":"x","sent_at":"2026-01-01T00:00:00Z","metadata":{"n":1e999999}}"#),
            .invalidPayload),
        BadJob(
            "a body over 1 MiB", "conversation.log",
            log(good).utf8 + [UInt8](repeating: UInt8(ascii: " "), count: (1 << 20) + 1 - log(good).utf8.count), tenant: "shop",
            .payloadTooLarge),
    ]

    private static let envelopes: [BadJob] = [
        BadJob("no tenant", "conversation.log", log(good), .invalidPayload),
        ofShop("a tenant header that is no slug", log(good)) { $0.headers["tenant"] = .text("Shop; drop") },
        ofShop("no message_id", log(good)) { $0.messageID = nil },
        ofShop("a too long message_id", log(good)) { $0.messageID = longID },
        ofShop("a line feed in its message_id", log(good)) { $0.messageID = "m\n2026-01-01 a line of its own" },
        ofShop("a content type that is not JSON", log(good)) { $0.contentType = "text/plain" },
        ofShop("a type that is not the routing key", log(good)) { $0.type = "corpus.ingest" },
        BadJob("an unknown kind of a family", "conversation.shout", log(good), tenant: "shop", .unknownKind),
        BadJob("an unknown kind that rides with a family", "template.fold", "{}", .unknownKind),
        BadJob("an unknown kind of no family", "weather.report", "{}", tenant: "shop", .unknownKind),
        BadJob(
            "an answer queue of the fleet", "conversation.log", log(good), tenant: "shop", .invalidPayload, isAnswered: false,
            adjust: { $0.replyTo = "tenantry.conversation" }),
        BadJob(
            "a dead-letter queue for answers", "token.issue", #"{"name":"x","scopes":["corpus:write"]}"#, .invalidPayload,
            isAnswered: false, adjust: { $0.replyTo = "tenantry.dead" }),
    ]

    private static let credentials: [BadJob] = [
        BadJob("no authorization", "conversation.log", log(good), tenant: "shop", as: .none, .unauthenticated),
        BadJob("a wrong secret", "conversation.log", log(good), tenant: "shop", as: .wrongSecret, .unauthenticated),
        ofShop("an authorization that is none", log(good), .unauthenticated) { $0.headers["authorization"] = .text("let me in") },
        BadJob("a token of another tenant", "conversation.log", log(good), tenant: "shop", as: .othersToken, .forbidden),
        BadJob("a token without the scope", "conversation.log", log(good), tenant: "shop", as: .scopelessToken, .forbidden),
        BadJob("a revoked token", "conversation.log", log(good), tenant: "shop", as: .revokedToken, .unauthenticated),
        BadJob("an expired token", "conversation.log", log(good), tenant: "shop", as: .expiredToken, .unauthenticated),
        BadJob("another account's tenant", "conversation.log", log(good), tenant: "shop", as: .docs, .forbidden),
        BadJob("a suspended tenant", "conversation.log", log(good), tenant: "sleeper", .tenantSuspended),
        BadJob(
            "an account that creates accounts", "account.create", #"{"slug":"mine","display_name":"x","plan":"pro"}"#, .forbidden),
        BadJob("an operator that logs", "conversation.log", log(good), tenant: "shop", as: .operator, .forbidden),
    ]

    private static let administration: [BadJob] = [
        BadJob(
            "a slug with an attack", "tenant.create", #"{"slug":"a\"; drop schema tenantry; --","display_name":"x"}"#,
            .invalidPayload,
            "/slug"),
        BadJob("a tenant's slug that is taken", "tenant.create", #"{"slug":"shop","display_name":"x"}"#, .slugTaken, "/slug"),
        BadJob(
            "a slug without the prefix", "tenant.create", #"{"slug":"other","display_name":"x"}"#, as: .prefixed, .invalidPayload,
            "/slug"),
        BadJob(
            "an unknown plan of a tenant", "tenant.create", #"{"slug":"planless","display_name":"x","plan":"gold"}"#,
            .invalidPayload, "/plan"),
        BadJob(
            "an unknown template", "tenant.create", #"{"slug":"shaped","display_name":"x","template":"t"}"#, .invalidPayload,
            "/template"),
        BadJob(
            "an unknown plan of an account", "account.create", #"{"slug":"golden","display_name":"x","plan":"gold"}"#,
            as: .operator,
            .invalidPayload, "/plan"),
        BadJob(
            "an unknown time zone", "account.create", #"{"slug":"lost","display_name":"x","plan":"pro","timezone":"Mars/Base"}"#,
            as: .operator,
            .invalidPayload, "/timezone"),
        BadJob(
            "an account's slug that is taken", "account.create", #"{"slug":"acme","display_name":"x","plan":"pro"}"#,
            as: .operator, .slugTaken,
            "/slug"),
        BadJob(
            "an unknown account", "account.update", #"{"account":"nobody","plan":"pro"}"#, as: .operator, .accountUnknown,
            "/account"),
        BadJob(
            "a limit that is no number", "account.update", #"{"account":"acme","limits":{"messages":"many"}}"#, as: .operator,
            .invalidPayload, "/limits/messages"),
        BadJob("an unknown scope", "token.issue", #"{"name":"x","scopes":["corpus:write","all"]}"#, .invalidPayload, "/scopes/1"),
        BadJob(
            "an expiry in the past", "token.issue",
            #"{"name":"x","scopes":["corpus:write"],"expires_at":"2020-01-01T00:00:00Z"}"#,
            .invalidPayload, "/expires_at"),
        BadJob("a token that is not there", "token.revoke", #"{"key":"tok_nothing"}"#, .invalidPayload, "/key"),
        BadJob("no document", "corpus.ingest", #"{"documents":[]}"#, tenant: "shop", .invalidPayload, "/documents"),
        BadJob("another account's usage", "usage.aggregate", #"{"account":"docs"}"#, .forbidden, "/account"),
        BadJob("a month that is none", "usage.aggregate", #"{"period":"2026-13"}"#, .invalidPayload, "/period"),
    ]

    /// Of plan `small`: 3 tenants, 5 messages, 2 documents, 1,000 bytes; the accounts are full before the batch.
    private static let limits: [BadJob] = [
        BadJob("a tenant too many", "tenant.create", #"{"slug":"narrow-d","display_name":"x"}"#, as: .narrow, .limitReached),
        BadJob("a message too many", "conversation.log", TestFleet.log(["6"]), tenant: "narrow-a", as: .narrow, .limitReached),
        BadJob(
            "a document too many", "corpus.ingest",
            #"{"documents":[{"external_id":"c","title":"c","media_type":"text/plain","content":"third"}]}"#, tenant: "docs-a",
            as: .docs,
            .limitReached),
        BadJob(
            "a byte too many", "corpus.ingest",
            #"{"documents":[{"external_id":"c","title":"c","media_type":"text/plain","content":"\#(String(repeating: "x", count: 1_001))"}]}"#,
            tenant: "bytes-a", as: .bytes, .limitReached),
    ]
}
