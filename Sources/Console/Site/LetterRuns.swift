internal import API
internal import Contract
internal import Foundation
internal import Jobs
internal import Logging
internal import NIOCore
internal import People
internal import Synchronization

/// Which letters are meant.
struct LetterFilter: Sendable, CustomStringConvertible {
    static let names = ["kind", "code", "tenant", "job_id"]

    private let values: [String: String]

    init(_ value: (String) -> String?) {
        values = Dictionary(uniqueKeysWithValues: Self.names.compactMap { name in value(name).map { (name, $0) } })
    }

    subscript(_ name: String) -> String? { values[name] }

    var json: JSONValue { .object(values.mapValues { .string($0) }) }

    /// To be put behind other parameters.
    var query: String { values.sorted { $0.key < $1.key }.map { "&\($0.key)=\(RequestTarget.encode($0.value))" }.joined() }

    /// What `tenantry dead` takes.
    var options: [String] {
        if values.isEmpty { return ["--all"] }
        var words = values["job_id"].map { [$0] } ?? []
        for name in ["kind", "code", "tenant"] { if let value = values[name] { words += ["--\(name)", value] } }
        return words
    }

    var description: String {
        values.isEmpty
            ? "All letters." : values.sorted { $0.key < $1.key }.map { "\($0.key) is \($0.value)" }.joined(separator: ", ") + "."
    }
}

/// Many letters that are settled one batch after the other, at a rate, while somebody looks on.
///
/// A run is this process's: where that ends, letters that were not settled stay where they are.
final class LetterRun: Sendable {
    struct State: Sendable {
        let total: Int
        var done = 0
        /// Why letters were left where they are.
        var left: [String] = []
        var isOver = false
        var problem: String?
    }

    let id = UUID().uuidString.lowercased()
    let deed: LetterDeed
    private let storage: Mutex<State>
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ ids: [String], _ deed: LetterDeed) {
        self.deed = deed
        storage = Mutex(State(total: ids.count))
    }

    var state: State { storage.withLock { $0 } }

    func stop() { task.withLock { $0?.cancel() } }

    func start(_ ids: [String], perSecond: Int, _ call: PageCall) {
        let batch = min(max(1, perSecond), 500)
        let pause = Double(batch) / Double(perSecond)
        task.withLock { task in
            task = Task { [self] in
                var rest = ids[...]
                while !rest.isEmpty, !Task.isCancelled {
                    let began = SystemClock.monotonicSeconds()
                    let next = Array(rest.prefix(batch))
                    do {
                        let outcome = try await Self.carryOut(next, deed, call)
                        storage.withLock { state in
                            state.done += outcome.done.count
                            state.left += outcome.left.prefix(1_000)
                        }
                    } catch {
                        storage.withLock { $0.problem = LocalAPI.failure(of: error).detail }
                        break
                    }
                    rest = rest.dropFirst(batch)
                    let spent = SystemClock.monotonicSeconds() - began
                    // Its only error is the cancellation, which is looked at next.
                    if !rest.isEmpty, spent < pause { try? await Task.sleep(for: .seconds(pause - spent)) }
                }
                storage.withLock { $0.isOver = true }
            }
        }
    }

    // MARK: Letters

    /// The letters that a filter means, oldest first.
    static func ids(_ filter: LetterFilter, _ call: PageCall) async throws -> [String] {
        try require(call)
        let wanted = DeadLetterRecord.Filter(
            jobIDs: filter["job_id"].map { [$0] } ?? [], kind: filter["kind"], code: filter["code"], tenant: filter["tenant"])
        return try await call.site.api.database { try DeadLetterRecord.ids(wanted, on: &$0) }
    }

    /// Settles a few letters, put on record first.
    ///
    /// - Throws: `LocalAPI.Failure` where one was left.
    static func settle(_ ids: [String], _ deed: LetterDeed, _ details: [String: JSONValue], _ call: PageCall) async throws {
        try await record(deed, details, call)
        let outcome = try await carryOut(ids, deed, call)
        if let reason = outcome.left.first { throw LocalAPI.Failure(status: 409, code: "conflict", detail: reason) }
    }

    private static func require(_ call: PageCall) throws {
        guard call.visitor.maySettleLetters else {
            throw LocalAPI.Failure(status: 403, code: "forbidden", detail: "dead letters are an operator's to settle")
        }
    }

    static func record(_ deed: LetterDeed, _ details: [String: JSONValue], _ call: PageCall) async throws {
        try require(call)
        let key = call.visitor.principal.key
        try await call.site.api.database { database in
            try AccessRecord.write(
                deed == .replay ? .replay : .discard, of: nil, by: .credential(key), details: details, on: &database)
        }
    }

    private static func carryOut(_ ids: [String], _ deed: LetterDeed, _ call: PageCall) async throws -> LetterOutcome {
        let outcome = try await call.site.api.platform.settle(ids, deed)
        let key = call.visitor.principal.key
        // The letters are settled all the same; what cannot be taken off the list now, the leader's duty takes.
        do { try await call.site.api.database { try DeadLetterRecord.forget(outcome.done, as: key, on: &$0) } } catch {
            call.site.api.logger.notice("rows of settled letters are taken later", metadata: ["error": "\(error)"])
        }
        return outcome
    }
}

/// The runs of this process, a bounded number of them.
final class LetterRuns: Sendable {
    private static let most = 20

    private let runs = Mutex<[LetterRun]>([])

    func find(_ id: String, of visitor: Visitor) -> LetterRun? {
        guard visitor.maySettleLetters else { return nil }
        return runs.withLock { $0.first { $0.id == id } }
    }

    /// Begins one, if as many letters match as whoever asked for it has seen.
    ///
    /// - Returns: its id.
    func start(
        _ filter: LetterFilter, _ deed: LetterDeed, expected: Int, perSecond: Int, _ call: PageCall
    ) async throws -> String {
        let ids = try await LetterRun.ids(filter, call)
        guard ids.count == expected else {
            throw LocalAPI.Failure(
                status: 409, code: "conflict", detail: "\(ids.count) letters match by now, not \(expected): look again")
        }
        try await LetterRun.record(deed, ["filter": filter.json, "letters": .int(Int64(ids.count))], call)
        let run = LetterRun(ids, deed)
        let isRoom = runs.withLock { runs in
            if runs.count >= Self.most { runs.removeAll { $0.state.isOver } }
            guard runs.count < Self.most else { return false }
            runs.append(run)
            return true
        }
        guard isRoom else { throw LocalAPI.Failure(status: 429, code: "rate_limited", detail: "too many replays are under way") }
        run.start(ids, perSecond: perSecond, call)
        return run.id
    }
}
