public import Contract
public import Jobs
public import Postgres

/// A delivery of an event to a webhook, as the log has it: how it stands, and how the last attempt went.
public struct DeliveryRecord: Sendable {
    public enum State: String, Sendable, CaseIterable, ClosedWord {
        /// Not sent yet, or waiting to be sent again.
        case pending
        case succeeded
        /// After the last attempt, or because the webhook is disabled.
        case failed
    }

    public let id: String
    /// The event's id, as in the header `webhook-id`.
    public let event: String
    /// The event's name: its routing key without account and tenant.
    public let name: String
    /// How many attempts there were since it was begun.
    public let attempt: Int64
    /// A word of ``State``.
    public let state: String
    /// The last answer's HTTP status; nil: there was none.
    public let status: Int64?
    public let durationMilliseconds: Int64?
    public let error: String?
    /// When the last attempt was.
    public let at: Timestamp?
    /// When the next one is due.
    public let nextAt: Timestamp?

    public var type: String { WebhookEvent.type(of: name) }

    public static let representation = Representation<DeliveryRecord> {
        Member.text("id", \.id)
        Member.text("event", \.event)
        Member.text("type", \.type)
        Member.number("attempt", \.attempt)
        Member.word("state", among: State.allCases.map(\.rawValue), \.state)
        Member.number("status", \.status)
        Member.number("duration_ms", \.durationMilliseconds)
        Member.text("error", \.error)
        Member.instant("at", \.at)
        Member.instant("next_at", \.nextAt)
    }

    private typealias Member = Representation<DeliveryRecord>.Member

    public var position: [String] { [id] }

    /// A page of a webhook's deliveries, the newest first.
    ///
    /// - Parameters:
    ///   - state: a word of ``State``; nil: in any.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        of webhook: String, state: String? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [DeliveryRecord] {
        let start = PageStart(after: position)
        return try database.query(SQL.page, webhook, state, start.number(0), limit).decode(DeliveryRecord.init)
    }

    enum SQL {
        static let columns = """
            d.id::text, d.event::text, e.name, d.attempt::int8, d.state, d.status::int8, d.duration_ms::int8, d.error, d.attempted_at,
                case when d.state = 'pending' then coalesce(d.next_at, d.created_at) end
            """
        static let page = Statement(
            """
            select \(columns)
            from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = $1 and ($2::text is null or d.state = $2) and d.id < $3
            order by d.id desc limit $4
            """)
    }
}

/// A delivery with what is sent.
public struct DeliveryDetails: Sendable {
    public let record: DeliveryRecord
    /// The body and the headers of the last attempt, or of one now; without the signature.
    public let request: JSONValue

    public static let representation = Representation<DeliveryDetails>(
        of: Representation<DeliveryDetails>.members(of: DeliveryRecord.representation, at: \.record)
    ).adding {
        Representation<DeliveryDetails>.Member(
            "request",
            schema: [
                "type": "object", "required": ["headers", "body"],
                "properties": ["headers": ["type": "object"], "body": ["type": "object"]],
            ]
        ) { $0.request }
    }

    /// One delivery of a webhook; nil if it has none of this id.
    public static func find(
        _ id: String, of webhook: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> DeliveryDetails? {
        guard let number = Int64(id), String(number) == id,
            let record = try database.query(SQL.find, webhook, number).decode(DeliveryRecord.init).first,
            let event = try database.query(SQL.event, record.event).decode(WebhookEvent.init).first
        else { return nil }
        let seconds = (record.at ?? .now()).microsecondsSince1970 / 1_000_000
        let headers = event.headers(at: seconds).map { ($0.name.lowercased(), JSONValue.string($0.value)) }
        return DeliveryDetails(
            record: record,
            request: [
                "headers": .object(Dictionary(uniqueKeysWithValues: headers)),
                "body": (try? JSONValue(parsing: event.body)) ?? .null,
            ])
    }

    enum SQL {
        static let find = Statement(
            """
            select \(DeliveryRecord.SQL.columns)
            from tenantry.webhook_deliveries d join tenantry.webhook_events e on e.id = d.event
            where d.webhook = $1 and d.id = $2
            """)
        static let event: Statement = """
            select id::text, account, tenant, name, content_type, body, created_at from tenantry.webhook_events where id = $1::text::uuid
            """
    }
}
