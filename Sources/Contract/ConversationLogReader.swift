/// Who said a message.
public enum Role: UInt8, Sendable, CaseIterable {
    case user, assistant, system, tool

    /// The word in JSON and in the database.
    @inlinable
    public var text: StaticString {
        switch self {
        case .user: "user"
        case .assistant: "assistant"
        case .system: "system"
        case .tool: "tool"
        }
    }
}

/// One message of a `conversation.log` body. The slices belong to the body that was read.
public struct LoggedMessage: Sendable {
    /// 1 to 128 Unicode scalars.
    public var id: TextSlice
    public var role: Role
    /// 1 to 128 Unicode scalars, where it is given.
    public var userID: TextSlice?
    public var content: TextSlice
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var sentAtMicroseconds: Int64
    /// 0 or more.
    public var tokensIn: Int64?
    /// 0 or more.
    public var tokensOut: Int64?
    public var model: TextSlice?
    /// A JSON object as it was sent.
    public var metadata: RawSlice?
}

/// Reads `conversation.log`, the hot payload, straight from the bytes of a delivery: no `String`, and nothing allocated per message once its
/// array has grown.
///
/// It only finds out *that* a body is good. A body that is not good is read again by the cold path, `ConversationLog`, which
/// finds the words; so both give the same answer. Where a name stands twice in an object, the first one counts.
public struct ConversationLogReader: Sendable {
    public internal(set) var conversationID = TextSlice()
    public internal(set) var channel: TextSlice?
    /// A JSON object as it was sent.
    public internal(set) var metadata: RawSlice?
    /// 1 to 1,000 after a `read` that did not throw; the array is used again by the next one.
    public internal(set) var messages: [LoggedMessage] = []
    /// Where a body that is not taken has more metadata than is taken.
    private var tooLarge: (message: Int?, bytes: Int)?

    public init() {}

    /// Reads a body; the properties hold its content until the next `read`, as long as the body's bytes stay where they are.
    ///
    /// - Parameter nowMicroseconds: the present, in microseconds since 1970-01-01T00:00:00Z; `sent_at` may be a day ahead of it.
    /// - Throws: `malformed_json`, or `invalid_payload` with the JSON Pointer of what is wrong.
    public mutating func read(_ body: UnsafeRawBufferPointer, nowMicroseconds: Int64) throws(Rejection) {
        if accepts(body, nowMicroseconds: nowMicroseconds) { return }
        messages.removeAll(keepingCapacity: true)
        let log = try PayloadDecoder.decode(ConversationLog.self, from: body)
        try log.validate(nowMicroseconds: nowMicroseconds)
        // Metadata is taken as it was sent, blanks and all, and measured so; the words above know it without them.
        if let (message, bytes) = tooLarge {
            throw Rejection(
                .payloadTooLarge, "has \(bytes) bytes as it was sent; metadata has at most \(Bounds.metadataBytes)",
                field: message.map { "/messages/\($0)/metadata" } ?? "/metadata")
        }
        // Not reached as long as the two paths agree, which the tests try hard to disprove.
        throw .invalid("", "the payload could not be read")
    }

    /// Whether the body is a good one, read into the properties.
    mutating func accepts(_ body: UnsafeRawBufferPointer, nowMicroseconds: Int64) -> Bool {
        conversationID = TextSlice()
        channel = nil
        metadata = nil
        tooLarge = nil
        messages.removeAll(keepingCapacity: true)
        guard UTF8Validity.holds(body) else { return false }
        var cursor = JSONCursor(body, budget: .payload)
        let latest = nowMicroseconds.addingReportingOverflow(ConversationLog.microsecondsAhead)
        guard readLog(&cursor, latest: latest.overflow ? .max : latest.partialValue), !cursor.sawNUL else { return false }
        cursor.skipSpace()
        return cursor.position == body.count && cursor.values <= cursor.budget.values
    }

    private mutating func readLog(_ cursor: inout JSONCursor, latest: Int64) -> Bool {
        var seen = SeenFields()
        guard cursor.take(Ascii.openBrace) else { return false }
        if cursor.take(Ascii.closeBrace) { return false }
        repeat {
            guard let name = cursor.name() else { return false }
            cursor.skipSpace()
            switch LogField(name, in: cursor.bytes) {
            case .conversationID where seen.insert(0):
                guard let id = cursor.text(), id.hasScalars(ConversationLog.idLengths, in: cursor.bytes) else { return false }
                conversationID = id
            case .messages where seen.insert(1):
                guard readMessages(&cursor, latest: latest) else { return false }
            case .channel where seen.insert(2):
                guard cursor.optionalText(&channel) else { return false }
            case .metadata where seen.insert(3):
                guard cursor.optionalObject(&metadata, depth: 1), fits(metadata, ofMessage: nil) else { return false }
            default:
                guard cursor.skipValue(depth: 1) else { return false }
            }
        } while cursor.take(Ascii.comma)
        return cursor.take(Ascii.closeBrace) && seen.contains(0b11)
    }

    private mutating func readMessages(_ cursor: inout JSONCursor, latest: Int64) -> Bool {
        guard cursor.take(Ascii.openBracket) else { return false }
        repeat {
            guard messages.count < ConversationLog.messageCounts.upperBound else { return false }
            guard let message = LoggedMessage(&cursor, latest: latest),
                fits(message.metadata, ofMessage: messages.count)
            else { return false }
            messages.append(message)
            cursor.values += 1
        } while cursor.take(Ascii.comma)
        return cursor.take(Ascii.closeBracket)
    }

    @inline(__always)
    private mutating func fits(_ metadata: RawSlice?, ofMessage message: Int?) -> Bool {
        guard let metadata, metadata.count > Bounds.metadataBytes else { return true }
        tooLarge = (message, metadata.count)
        return false
    }
}
