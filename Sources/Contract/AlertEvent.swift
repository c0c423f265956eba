internal import FoundationEssentials

/// A subject crossed a threshold of a limit, or came back under it: a CloudEvent 1.0 (contract, section 6).
public struct AlertEvent: Sendable, Equatable {
    public static let contentType = "application/cloudevents+json"

    public enum State: String, Sendable, CaseIterable, ClosedWord {
        case warning, breached, resolved
    }

    public enum Mode: String, Sendable, CaseIterable, ClosedWord {
        case soft, hard
    }

    /// The event's id and the message's `message_id`, the same at every re-send.
    public var id: String
    public var state: State
    public var time: Instant
    public var data: Data

    public init(id: String, state: State, time: Instant, data: Data) {
        self.id = id
        self.state = state
        self.time = time
        self.data = data
    }

    public var source: String { "/tenantry/accounts/\(data.account)" }
    public var type: String { "tenantry.limit.\(state.rawValue)" }
    public var subject: String { data.tenant.map { "tenants/\($0)" } ?? "accounts/\(data.account)" }

    /// `limit.<state>.<metric>.<account>.<tenant or "_pool">`
    public var routingKey: String {
        "limit.\(state.rawValue).\(data.metric.rawValue).\(data.account).\(data.tenant ?? "_pool")"
    }

    /// The body: JSON, names in order.
    public func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(self))
        } catch {
            preconditionFailure("texts and whole numbers always encode: \(error)")
        }
    }
}

extension AlertEvent: Codable {
    private enum CodingKeys: String, CodingKey {
        case specversion, id, source, type, subject, time, datacontenttype, data
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        time = try container.decode(Instant.self, forKey: .time)
        data = try container.decode(Data.self, forKey: .data)
        let type = try container.decode(String.self, forKey: .type)
        guard let state = State.allCases.first(where: { type == "tenantry.limit.\($0.rawValue)" }) else {
            throw DecodingError.unacceptable("is not an alert's type", at: container.codingPath + [CodingKeys.type])
        }
        self.state = state
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode("1.0", forKey: .specversion)
        try container.encode(id, forKey: .id)
        try container.encode(source, forKey: .source)
        try container.encode(type, forKey: .type)
        try container.encode(subject, forKey: .subject)
        try container.encode(time, forKey: .time)
        try container.encode("application/json", forKey: .datacontenttype)
        try container.encode(data, forKey: .data)
    }

    static let schema = Schema.object(
        required: ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
        [
            "specversion": ["const": "1.0"], "id": Schema.anyText, "source": Schema.anyText,
            "type": ["type": "string", "enum": .array(State.allCases.map { .string("tenantry.limit.\($0.rawValue)") })],
            "subject": Schema.anyText, "time": Instant.schema, "datacontenttype": ["const": "application/json"],
            "data": Data.schema,
        ])
}
