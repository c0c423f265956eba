internal import AMQP
internal import API
internal import Contract
internal import Dispatch
internal import Fleet

/// The broker's side of what operators see and do over HTTP, with a connection for each request.
struct BrokerPlatform: Platform {
    let broker: BrokerURL
    let fleet: FleetOptions

    func queues() async throws -> [QueueReading] {
        try await blocking {
            var connection = try AMQP.Connection(broker, name: "tenantry api")
            defer { connection.close() }
            var readings: [QueueReading] = []
            for name in TopologyDeclaration(fleet).queues {
                guard let info = try connection.inspectQueue(name) else { continue }
                readings.append(
                    QueueReading(name: name, messages: Int64(info.messageCount), consumers: Int64(info.consumerCount)))
            }
            return readings
        }
    }

    func settle(_ ids: [String], _ deed: LetterDeed) async throws -> LetterOutcome {
        try await blocking {
            let queue = try DeadLetterQueue(broker)
            defer { queue.close() }
            var wanted = Set(ids)
            var done: [String] = []
            var left: [String] = []
            while !wanted.isEmpty, let letter = try queue.next() {
                guard let id = letter.id, wanted.remove(id) != nil else { continue }
                do {
                    switch deed {
                    case .replay: try queue.replay(letter)
                    case .discard: try queue.discard(letter)
                    }
                    done.append(id)
                } catch let error as DeadLetterQueue.NotReplayed {
                    left.append("\(error)")
                }
            }
            return LetterOutcome(done: done, left: left + wanted.sorted().map { "letter \($0) is not in the queue any more" })
        }
    }

    /// Letters that are looked at for one of them; each goes back, and counts as delivered once more.
    private static let mostLetters = 5_000
    private static let mostPayloadBytes = 64 << 10

    func letter(_ id: String) async throws -> LetterContent? {
        try await blocking {
            let queue = try DeadLetterQueue(broker)
            defer { queue.close() }
            for _ in 0..<min(try queue.count(), Self.mostLetters) {
                guard let letter = try queue.next() else { break }
                guard letter.id == id else { continue }
                let properties = letter.delivery.properties
                let bytes = letter.delivery.bodyBytes
                return LetterContent(
                    headers: Dictionary(
                        properties.headers.entries.map { ($0.name, Self.shown($0.name, $0.value)) },
                        uniquingKeysWith: { first, _ in first }),
                    replyTo: properties.replyTo,
                    payload: letter.delivery.withBody { String(decoding: $0.prefix(Self.mostPayloadBytes), as: UTF8.self) },
                    isCut: bytes > Self.mostPayloadBytes)
            }
            return nil
        }
    }

    /// A seal lets its letter be replayed without a credential, so it is nobody's to see; a credential's secret is in no letter of ours.
    private static func shown(_ name: String, _ value: FieldValue) -> String {
        [Header.seal.name, Header.authorization.name].contains(name.lowercased()) ? "(not shown)" : DeadCommand.text(value)
    }

    /// The driver blocks, so it has a thread of its own.
    private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                do {
                    continuation.resume(returning: try work())
                } catch let error as AMQPError {
                    continuation.resume(throwing: BrokerAway(reason: error.message))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}
