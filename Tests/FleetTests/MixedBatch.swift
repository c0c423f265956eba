internal import AMQP
internal import Contract
internal import Fleet
internal import Foundation
internal import Jobs
internal import Postgres
internal import TestSupport

/// Every bad job with a good neighbour of its family, all waiting before a worker starts; and what came of them.
struct MixedBatch: Sendable {
    struct Letter: Sendable {
        let code: String
        let message: String
        let field: String?
        let attempts: Int64
        let failedAt: String?
        let kindHeader: FieldValue?
        let routingKey: String
        let properties: Properties
        let body: [UInt8]
    }

    struct Ending: Sendable {
        let letter: Letter?
        let answer: Answer?
        let sent: Properties
    }

    /// By the bad job's name.
    var endings: [String: Ending] = [:]
    /// Answers of the good jobs, by what they were sent to neighbour.
    var goodAnswers: [String: Answer] = [:]
    var letterCount = 0
    var goodMessages: Int64 = 0
    /// Read from the database at the end, by name.
    var numbers: [String: Int64] = [:]

    /// The one run that all cases look at.
    static func shared() async throws -> MixedBatch {
        try TestServers.requireBroker()
        return try await running.value
    }

    private static let running = Task { try await run() }

    private static func run() async throws -> MixedBatch {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        let credentials = try prepare(fleet)
        await fleet.stop()
        try spoil(credentials, fleet)

        var batch = MixedBatch()
        var sent: [String: Properties] = [:]
        for job in BadJob.all {
            try fleet.send(job.kind, job.body, tenant: job.tenant, token: credentials[job.sender] ?? "", id: "bad \(job.name)") {
                properties in
                if job.sender == .none { properties.headers["authorization"] = nil }
                job.adjust(&properties)
                properties.appID = "bad \(job.name)"
                properties.headers["own"] = .text("header")
                sent[job.name] = properties
            }
            try batch.sendGoodNeighbour(of: job, credentials, fleet)
        }
        try fleet.startWorker()
        for job in BadJob.all where job.kind != "weather.report" {
            batch.goodAnswers[job.name] = try fleet.answer(to: "good \(job.name)")
        }
        let letters = try await batch.collect(fleet)
        for job in BadJob.all {
            let id = sent[job.name]?.messageID ?? ""
            batch.endings[job.name] = Ending(
                letter: letters["bad \(job.name)"], answer: job.isAnswered ? try fleet.answer(to: id) : nil, sent: sent[job.name]!
            )
        }
        try await batch.readNumbers(fleet)
        await fleet.stop()
        return batch
    }

    private static func prepare(_ fleet: TestFleet) throws -> [BadJob.Sender: String] {
        var credentials: [BadJob.Sender: String] = [.operator: fleet.operatorToken]
        let account = try fleet.makeAccount("acme")
        credentials[.account] = account
        for slug in ["shop", "sibling", "sleeper"] { try fleet.makeTenant(slug, token: account) }
        credentials[.wrongSecret] = String(account.split(separator: ".")[0]) + ".wrong"
        credentials[.othersToken] = try fleet.makeToken(["conversation:write"], tenant: "sibling", token: account)
        credentials[.scopelessToken] = try fleet.makeToken(["corpus:write"], tenant: "shop", token: account)
        credentials[.revokedToken] = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
        credentials[.expiredToken] = try fleet.makeToken(["conversation:write"], tenant: "shop", token: account)
        credentials[.prefixed] = try fleet.makeAccount("pre", #","slug_prefix":"pre-""#)
        for (sender, slug) in [(BadJob.Sender.narrow, "narrow"), (.docs, "docs"), (.bytes, "bytes")] {
            let token = try fleet.makeAccount(slug, plan: "small")
            credentials[sender] = token
            for letter in ["a", "b", "c"] { try fleet.makeTenant("\(slug)-\(letter)", token: token) }
        }
        // Two tenants of one account fill its pool together.
        _ = try fleet.ask("conversation.log", TestFleet.log(["1", "2", "3"]), tenant: "narrow-a", token: credentials[.narrow]!)
        _ = try fleet.ask("conversation.log", TestFleet.log(["4", "5"]), tenant: "narrow-b", token: credentials[.narrow]!)
        _ = try fleet.ask(
            "corpus.ingest",
            #"{"documents":[{"external_id":"a","title":"a","media_type":"text/plain","content":"first"},{"external_id":"b","title":"b","media_type":"text/plain","content":"second"}]}"#,
            tenant: "docs-a", token: credentials[.docs]!)
        return credentials
    }

    private static func spoil(_ credentials: [BadJob.Sender: String], _ fleet: TestFleet) throws {
        func key(_ sender: BadJob.Sender) -> String { String(credentials[sender]!.split(separator: ".")[0]) }
        try fleet.database.run(
            script: """
                update tenantry.credentials set expires_at = now() - interval '1 second' where key = '\(key(.expiredToken))';
                update tenantry.credentials set revoked_at = now() where key = '\(key(.revokedToken))';
                update tenantry.tenants set state = 'suspended' where slug = 'sleeper';
                """)
    }

    private mutating func sendGoodNeighbour(of job: BadJob, _ credentials: [BadJob.Sender: String], _ fleet: TestFleet) throws {
        let id = "good \(job.name)"
        let account = credentials[.account]!
        switch job.kind.split(separator: ".")[0] {
        case "conversation":
            goodMessages += 2
            let body = TestFleet.log(["\(job.name) 1", "\(job.name) 2"], conversation: job.name, user: job.name)
            try fleet.send("conversation.log", body, tenant: "shop", token: account, id: id)
        case "tenant", "token", "template":
            try fleet.send("token.issue", #"{"name":"good","scopes":["conversation:write"]}"#, token: account, id: id)
        case "account":
            try fleet.send("account.update", #"{"account":"pre","display_name":"good"}"#, token: credentials[.operator]!, id: id)
        case "corpus":
            let document = #"{"external_id":"\#(job.name)","title":"t","media_type":"text/plain","content":"\#(job.name)"}"#
            try fleet.send("corpus.ingest", #"{"documents":[\#(document)]}"#, tenant: "shop", token: account, id: id)
        case "usage": try fleet.send("usage.aggregate", "{}", token: account, id: id)
        default: break
        }
    }

    private mutating func collect(_ fleet: TestFleet) async throws -> [String: Letter] {
        var letters: [String: Letter] = [:]
        var count = 0
        try await eventually("\(BadJob.all.count) dead letters") {
            for letter in try fleet.takeDeadLetters() {
                count += 1
                let delivery = letter.delivery
                letters[delivery.properties.appID ?? ""] = Letter(
                    code: letter.code, message: letter.message, field: letter.field, attempts: letter.attempts,
                    failedAt: letter.failedAt,
                    kindHeader: delivery.headers["x-tenantry-kind"], routingKey: delivery.routingKey,
                    properties: delivery.properties,
                    body: delivery.withBody { Array($0) })
            }
            return count >= BadJob.all.count
        }
        letterCount = count
        return letters
    }

    private mutating func readNumbers(_ fleet: TestFleet) async throws {
        try await eventually("the pool follows") {
            try fleet.number("select messages from tenantry.account_usage where account = 'acme' and messages > 0")
                == goodMessages
        }
        numbers = [
            "rows": try fleet.number("select count(*) from tenant_shop.messages"),
            "counted": try fleet.number("select messages from tenantry.tenant_usage where tenant = 'shop' and messages > 0"),
            "conversations": try fleet.number(
                "select conversations from tenantry.tenant_usage where tenant = 'shop' and messages > 0"),
            "active users": try fleet.number(
                "select active_users from tenantry.tenant_usage where tenant = 'shop' and messages > 0"),
            "sibling rows": try fleet.number("select count(*) from tenant_sibling.messages"),
            "narrow messages": try fleet.number("select sum(messages)::int8 from tenantry.tenant_usage where account = 'narrow'"),
            "narrow tenants": try fleet.number("select count(*) from tenantry.tenants where account = 'narrow'"),
            "docs documents": try fleet.number("select documents from tenantry.tenant_usage where tenant = 'docs-a'"),
            "bytes documents": try fleet.number("select count(*) from tenant_bytes_a.documents"),
            "acme tenants": try fleet.number("select count(*) from tenantry.tenants where account = 'acme'"),
            "good tokens": try fleet.number("select count(*) from tenantry.credentials where name = 'good'"),
            "accounts": try fleet.number("select count(*) from tenantry.accounts"),
        ]
    }
}
