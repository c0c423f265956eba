internal import Contract
internal import Foundation
internal import TestSupport

/// Conversations of several accounts' tenants, with repeats among them, and what must be in the database once they are all through.
struct Traffic {
    struct Job {
        let id: String
        let tenant: Int
        let message: Int
        let conversation: Int
        let user: Int
        let tokens: Int
        var content = "hello"

        /// The payload.
        func body(sentAt: String) -> String {
            let message =
                #""id":"m\#(message)","role":"user","user_id":"u\#(user)","content":"\#(content)","tokens_in":\#(tokens)"#
            return #"{"conversation_id":"c\#(conversation)","messages":[{\#(message),"sent_at":"\#(sentAt)"}]}"#
        }
    }

    struct Tenant {
        let slug: String
        let account: String
        let token: String
        let limit: Int?
    }

    struct Account {
        let slug: String
        let limit: Int
    }

    /// What is counted for a tenant, or for all tenants of an account together.
    struct Counts: Equatable {
        var messages = 0
        var conversations = 0
        var users = 0
        var tokens = 0
    }

    let accounts: [Account]
    let tenants: [Tenant]
    let jobs: [Job]
    let counts: [Counts]

    /// Makes accounts and tenants through a worker, some of them with limits that will be crossed, and as many jobs as asked for: nearly a
    /// quarter of them repeat a message, under the same job id or under another one. Their billing period began days ago and has days to go.
    static func prepare(
        on stage: Stage, accounts accountCount: Int, tenants tenantCount: Int, jobs jobCount: Int, repeats: Bool = true
    ) async throws -> Traffic {
        let worker = try stage.startWorker()
        var accounts: [Account] = []
        var tenants: [Tenant] = []
        for number in 0..<accountCount {
            let slug = "acc\(number)"
            // Small enough that a threshold beyond 100 % is crossed, too.
            let limit = jobCount / accountCount / 2 + number * 7
            let token = try await stage.makeAccount(slug, messages: limit, anchorDay: Self.anchorDay)
            accounts.append(Account(slug: slug, limit: limit))
            for tenant in stride(from: number, to: tenantCount, by: accountCount) {
                let own = tenant.isMultiple(of: 3) ? jobCount / tenantCount : nil
                tenants.append(Tenant(slug: "t\(tenant)", account: slug, token: token, limit: own))
            }
            for tenant in tenants.filter({ $0.account == slug }) {
                try await stage.makeTenant(tenant.slug, token: token, messages: tenant.limit)
            }
        }
        guard try await worker.terminate(within: 30) == .exit(0) else {
            throw TestFailure("the worker did not end well:\n\(worker.log)")
        }
        return Traffic(accounts: accounts, tenants: tenants, jobs: jobCount, repeats: repeats)
    }

    /// About half a month from today.
    private static var anchorDay: Int { (Calendar(identifier: .gregorian).component(.day, from: Date()) + 14) % 28 + 1 }

    private init(accounts: [Account], tenants: [Tenant], jobs jobCount: Int, repeats: Bool) {
        self.accounts = accounts
        self.tenants = tenants
        // The same traffic in every run.
        var random = SeededGenerator(seed: 20_251_123)
        var jobs: [Job] = []
        for number in 0..<jobCount {
            switch jobs.isEmpty || !repeats ? 9 : Int.random(in: 0..<9, using: &random) {
            case 0:
                jobs.append(jobs.randomElement(using: &random)!)
            case 1:
                let first = jobs.randomElement(using: &random)!
                jobs.append(
                    Job(
                        id: "j\(number)", tenant: first.tenant, message: first.message, conversation: first.conversation,
                        user: first.user,
                        tokens: first.tokens))
            default:
                jobs.append(
                    Job(
                        id: "j\(number)", tenant: Int.random(in: tenants.indices, using: &random), message: number,
                        conversation: Int.random(in: 0..<40, using: &random), user: Int.random(in: 0..<60, using: &random),
                        tokens: Int.random(in: 0..<50, using: &random)))
            }
        }
        self.jobs = jobs
        counts = tenants.indices.map { tenant in
            var first: [Int: Job] = [:]
            for job in jobs where job.tenant == tenant { first[job.message] = job }
            return Counts(
                messages: first.count, conversations: Set(first.values.map(\.conversation)).count,
                users: Set(first.values.map(\.user)).count,
                tokens: first.values.reduce(0) { $0 + $1.tokens })
        }
    }

    /// Distinct messages of all tenants.
    var messages: Int { counts.reduce(0) { $0 + $1.messages } }

    /// Puts all jobs, or some of them, on the broker.
    func send(on stage: Stage, _ range: Range<Int>? = nil) throws {
        let now = RFC3339.text(Int64(Date().timeIntervalSince1970) * 1_000_000)
        for job in jobs[range ?? jobs.indices] {
            try stage.post(
                "conversation.log", job.body(sentAt: now), tenant: tenants[job.tenant].slug, token: tenants[job.tenant].token,
                id: job.id)
            try stage.confirm(downTo: 1_000)
        }
        try stage.confirm()
    }

    /// Puts one of several equal portions of the jobs on the broker, and waits until the workers have begun to count it.
    func flow(_ portion: Int, of portions: Int, on stage: Stage) async throws {
        let before = try counted(on: stage)
        try send(on: stage, jobs.count * portion / portions..<jobs.count * (portion + 1) / portions)
        try await eventually("portion \(portion) flows") { try counted(on: stage) > before }
    }

    /// How many of its messages have been counted so far.
    func counted(on stage: Stage) throws -> Int {
        let accounts = accounts.map { "'\($0.slug)'" }.joined(separator: ", ")
        return try stage.number("select sum(messages)::int8 from tenantry.tenant_usage where account in (\(accounts))")
    }

    /// A queue for the answers to an account's jobs, which stays.
    static func answers(of account: String) -> String { "\(account).answers" }

    /// Every threshold that is crossed at the end, as `account/tenant/percent`: of the pools, and of tenants with a limit of their own.
    var alerts: Set<String> {
        var alerts: Set<String> = []
        func add(_ subject: String, _ value: Int, _ limit: Int) {
            let thresholds = [50, 75, 80, 90] + Array(stride(from: 100, through: max(100, value * 100 / limit), by: 100))
            for threshold in thresholds where value * 100 >= threshold * limit { alerts.insert("\(subject)/\(threshold)") }
        }
        for account in accounts {
            add(
                "\(account.slug)/", zip(tenants, counts).reduce(0) { $0 + ($1.0.account == account.slug ? $1.1.messages : 0) },
                account.limit)
        }
        for (tenant, counts) in zip(tenants, counts) {
            if let limit = tenant.limit { add("\(tenant.account)/\(tenant.slug)", counts.messages, limit) }
        }
        return alerts
    }
}
