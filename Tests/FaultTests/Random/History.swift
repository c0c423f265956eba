internal import Contract
internal import Foundation
internal import TenantryClient
internal import TestSupport

/// What one customer asks of the fleet, job by job of every kind, what is answered, and what must lie in the database then. A job that is in
/// doubt is sent again under its id until it is answered.
///
/// Only what stays rejected is sent to be rejected: a copy of a rejected job that the broker delivers once more is looked at anew.
final class History {
    struct Tenant {
        var displayName: String
        var state = "active"
        var settings: [String: String] = [:]
        var documents: Set<String> = []
        var messages: Set<String> = []
        /// Those that have been erased count, too.
        var logged = 0
        var conversations = 0
        var users: Set<String> = []
        var ratings: [String: Int] = [:]
        /// Key, and whether it was revoked.
        var tokens: [String: Bool] = [:]
    }

    struct Told {
        let id: String
        let kind: Kind
        let tenant: String?
        let body: String
        let answer: Answer
    }

    let account: String
    var displayName: String
    var credential: String
    var tenants: [String: Tenant] = [:]
    var administrators: Set<String> = []
    /// Its documents' ids.
    var templates: [String: Set<String>] = [:]
    /// Whether the last full month was closed.
    var closedPeriod: String?
    var told: [Told] = []
    /// How often each life-cycle event is to be heard of, by its routing key.
    var events: [String: Int] = [:]
    /// The webhook that hears of life-cycle events, and how often of each, by its name.
    var listener: String?
    var delivered: [String: Int] = [:]
    /// All there are, by id, and their states.
    var webhooks: [String: String] = [:]
    /// The codes under which a job's letter may lie among the dead: of what was rejected, and of copies that came late.
    var deadCodes: [String: Set<String>] = [:]
    /// How often a job was sent again because its answer did not come.
    private(set) var doubts = 0
    private var random: SeededGenerator
    private let client: JobClient
    private let operatorToken: String

    /// So long is the fleet given for an answer before the job is in doubt, and so long for all attempts.
    private static let patience = Duration.seconds(4)
    private static let giveUpSeconds = 120.0

    init(account: String, credential: String, operatorToken: String, broker: String, seed: UInt64) throws {
        self.account = account
        self.displayName = account
        self.credential = credential
        self.operatorToken = operatorToken
        random = SeededGenerator(seed: seed)
        var options = JobClient.Options()
        options.connectionName = "history \(account)"
        client = try JobClient(brokerURL: broker + "?heartbeat=2", credential: credential, options: options)
        events["account.created.\(account)"] = 1
    }

    /// Sends a job until it is answered, and now and then once more.
    ///
    /// - Parameter code: under which it must be rejected; nil: it must succeed.
    /// - Returns: the result, or null.
    /// - Throws: if the answer is another one, or does not come.
    @discardableResult
    func tell(
        _ kind: String, _ body: String, tenant: String? = nil, as credential: String? = nil, rejectedAs code: ErrorCode? = nil
    ) async throws -> JSONValue {
        let id = "\(account)-\(told.count)-\(kind)"
        let request = JobRequest(
            kind: kind, body: Array(body.utf8), tenant: tenant, id: id, credential: credential ?? self.credential)
        let answer = try await answer(to: request)
        guard answer.error?.code == code, answer.jobID == id, answer.kind == kind else {
            throw TestFailure(
                "\(id) (tenant \(tenant ?? "none")) was answered with \(String(decoding: answer.encoded(), as: UTF8.self))")
        }
        if Int.random(in: 0..<4, using: &random) == 0 { try check(try await self.answer(to: request), repeats: answer, of: kind) }
        guard let kind = Kind.named(kind) else { throw TestFailure("there is no kind \(kind)") }
        told.append(Told(id: id, kind: kind, tenant: tenant, body: body, answer: answer))
        if let code { deadCodes[id, default: []].insert(code.rawValue) }
        return answer.result ?? .null
    }

    /// As an operator.
    @discardableResult
    func tellAsOperator(_ kind: String, _ body: String) async throws -> JSONValue {
        try await tell(kind, body, as: operatorToken)
    }

    private func answer(to request: JobRequest) async throws -> Answer {
        let deadline = Date().addingTimeInterval(Self.giveUpSeconds)
        while true {
            do {
                return try await client.send(request, timeout: Self.patience).answer
            } catch  where error.kind != .invalid && error.kind != .cancelled && Date() < deadline {
                doubts += 1
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw TestFailure("\(request.id) was not answered within \(Int(Self.giveUpSeconds)) s: \(error)")
            }
        }
    }

    /// A job that is sent again gets its first answer, less a secret; a log tells that there was nothing new.
    private func check(_ second: Answer, repeats first: Answer, of kind: String) throws {
        var expected = first
        if first.status == .succeeded {
            expected.duplicate = true
            if case .object(var result)? = first.result {
                result["secret"] = nil
                expected.result = .object(result)
            }
        }
        if kind == "conversation.log", first.status == .succeeded {
            guard second.result?["accepted"] == .int(0), second.status == .succeeded else {
                throw TestFailure("\(first.jobID) was logged again: \(second)")
            }
        } else if second != expected {
            throw TestFailure("\(first.jobID) was answered with \(second), before with \(first)")
        }
    }

    /// Copies of all that was sent to a tenant may find it closed.
    func mayFindClosed(_ tenant: String) {
        for job in told where job.tenant == tenant {
            deadCodes[job.id, default: []].formUnion([ErrorCode.tenantSuspended.rawValue, ErrorCode.tenantUnknown.rawValue])
        }
    }

    /// Copies of all that was sent with a token may find it revoked.
    func mayFindRevoked(_ ids: [String]) {
        for id in ids { deadCodes[id, default: []].insert(ErrorCode.unauthenticated.rawValue) }
    }

    func hear(_ event: LifecycleEvent, _ tenant: String? = nil) {
        events[([event.rawValue, account] + (tenant.map { [$0] } ?? [])).joined(separator: "."), default: 0] += 1
        if listener != nil { delivered[event.rawValue, default: 0] += 1 }
    }
}
