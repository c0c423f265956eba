internal import Contract
internal import Foundation
internal import Postgres
internal import TenantryClient
internal import TestSupport
internal import Testing

/// A fleet with a worker that all tests share which do not disturb each other, and an account with a tenant in it.
struct Stage: Sendable {
    static let shared = Task { try await Stage() }
    /// Kept for the process's life, used by `init` alone.
    private nonisolated(unsafe) static var fleets: [TestFleet] = []

    let brokerURL: String
    let databaseURL: String
    let operatorToken: String
    /// The account's credential.
    let token: String
    let tenant = "stage-shop"

    private init() async throws {
        let fleet = try await TestFleet()
        try fleet.startWorker()
        token = try fleet.makeAccount("stage", plan: "enterprise-plus")
        try fleet.makeTenant(tenant, token: token)
        (brokerURL, databaseURL, operatorToken) = (fleet.brokerURL, fleet.databaseURL, fleet.operatorToken)
        Self.fleets.append(fleet)
    }

    func client(_ adjust: (inout JobClient.Options) -> Void = { _ in }) throws -> JobClient {
        try client(at: brokerURL, adjust)
    }

    func client(at url: String, _ adjust: (inout JobClient.Options) -> Void = { _ in }) throws -> JobClient {
        var options = JobClient.Options()
        adjust(&options)
        return try JobClient(brokerURL: url, credential: token, options: options)
    }

    /// How many messages of a conversation are stored.
    func messages(of conversation: String) throws -> Int64 {
        var database = try Connection(ConnectionOptions(url: databaseURL))
        let rows = try database.query(
            Statement("select count(*) from tenant_stage_shop.messages where conversation_id = '\(conversation)'"))
        return rows.int(0, 0)
    }
}

/// A job with one message, whose id is its own.
func logged(_ id: String, in conversation: String) -> ConversationLog {
    let now = Contract.Instant(microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000))
    return ConversationLog(conversationID: conversation, messages: [.init(id: id, role: .user, content: "hello", sentAt: now)])
}

func newName(_ prefix: String) -> String { "\(prefix)-\(UUID().uuidString.prefix(8).lowercased())" }

/// Runs `body` and gives the client's error.
func failure(_ body: () async throws -> Void) async throws -> ClientError {
    do {
        try await body()
    } catch let error as ClientError {
        return error
    }
    throw TestFailure("nothing was thrown")
}

/// Something that happens once, to be waited for.
final class Happening: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func happen() { continuation.yield() }

    func wait() async {
        var iterator = stream.makeAsyncIterator()
        await iterator.next()
    }
}
