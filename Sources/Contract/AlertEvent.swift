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
    public var type: String { Self.type(of: state) }
    public var subject: String { data.tenant.map { "tenants/\($0)" } ?? "accounts/\(data.account)" }

    /// `limit.<state>.<metric>.<account>.<tenant or "_pool">`
    public var routingKey: String {
        "limit.\(state.rawValue).\(data.metric.rawValue).\(data.account).\(data.tenant ?? "_pool")"
    }

    /// The body: JSON, names in order.
    public func encoded() -> [UInt8] { Self.fields.write(self, hasNulls: true).serialised() }

    /// An alert from its body.
    ///
    /// - Throws: `malformed_json` or `invalid_payload` where the bytes are no alert.
    public init(parsing body: [UInt8]) throws(Rejection) {
        self = try Self.fields.parse(body)
    }

    static let fields = Fields(
        AlertEvent(id: "", state: .warning, time: Instant(microsecondsSince1970: 0), data: Data.fields.blank)
    ) {
        Field<AlertEvent>.derived("specversion", schema: ["const": "1.0"]) { _ in "1.0" }
        Field("id", \.id, .anyText)
        Field<AlertEvent>.derived("source", schema: Schema.anyText) { .string($0.source) }
        Field("type", \.state, stateOfType)
        Field<AlertEvent>.derived("subject", schema: Schema.anyText) { .string($0.subject) }
        Field("time", \.time, .instant)
        Field<AlertEvent>.derived("datacontenttype", schema: ["const": "application/json"]) { _ in "application/json" }
        Field("data", \.data, dataType)
    }

    static let schema = fields.schema

    private static let dataType = FieldType<Data>(
        schema: Data.fields.schema.mergePatch(["required": .array(Data.fields.names.map { .string($0) })]),
        read: FieldType.object(Data.fields).read, write: { Data.fields.write($0, hasNulls: true) })

    private static let stateOfType = FieldType<State>(
        schema: ["type": "string", "enum": .array(State.allCases.map { .string(type(of: $0)) })],
        read: { value throws(FieldFailure) in
            guard let state = State.allCases.first(where: { value == .string(type(of: $0)) }) else {
                throw FieldFailure("is not an alert's type")
            }
            return state
        }, write: { .string(type(of: $0)) })

    private static func type(of state: State) -> String { "tenantry.limit.\(state.rawValue)" }
}
