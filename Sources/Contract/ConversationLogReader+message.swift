extension LoggedMessage {
    /// Reads the message object at hand; nil where it is not a good one.
    init?(_ cursor: inout JSONCursor, latest: Int64) {
        self.init(id: TextSlice(), role: .user, content: TextSlice(), sentAtMicroseconds: 0)
        var seen = SeenFields()
        guard cursor.take(Ascii.openBrace) else { return nil }
        if cursor.take(Ascii.closeBrace) { return nil }
        repeat {
            guard let name = cursor.name() else { return nil }
            cursor.skipSpace()
            let field = MessageField(name, in: cursor.bytes)
            // What is unknown, and what stands here for the second time, is passed over.
            let isGood = seen.insert(field.rawValue) ? read(field, &cursor, latest: latest) : cursor.skipValue(depth: 3)
            if !isGood { return nil }
        } while cursor.take(Ascii.comma)
        guard cursor.take(Ascii.closeBrace), seen.contains(MessageField.required) else { return nil }
    }

    @inline(__always)
    private mutating func read(_ field: MessageField, _ cursor: inout JSONCursor, latest: Int64) -> Bool {
        switch field {
        case .id:
            guard let text = cursor.text(), text.hasScalars(ConversationLog.idLengths, in: cursor.bytes) else { return false }
            id = text
        case .role:
            guard let text = cursor.text(), let role = Role(text, in: cursor.bytes) else { return false }
            self.role = role
        case .content:
            guard let text = cursor.text() else { return false }
            content = text
        case .sentAt:
            guard let text = cursor.text(), let microseconds = text.withText(in: cursor.bytes, { RFC3339.microseconds($0) }),
                microseconds <= latest
            else { return false }
            sentAtMicroseconds = microseconds
        case .userID:
            guard cursor.optionalText(&userID) else { return false }
            return userID?.hasScalars(ConversationLog.idLengths, in: cursor.bytes) ?? true
        case .tokensIn: return cursor.optionalCount(&tokensIn) && tokensIn ?? 0 <= ConversationLog.mostTokens
        case .tokensOut: return cursor.optionalCount(&tokensOut) && tokensOut ?? 0 <= ConversationLog.mostTokens
        case .model: return cursor.optionalText(&model)
        case .metadata: return cursor.optionalObject(&metadata, depth: 3)
        case .unknown: return cursor.skipValue(depth: 3)
        }
        return true
    }
}

extension Role {
    init?(_ text: TextSlice, in body: UnsafeRawBufferPointer) {
        if text.equals("user", in: body) {
            self = .user
        } else if text.equals("assistant", in: body) {
            self = .assistant
        } else if text.equals("system", in: body) {
            self = .system
        } else if text.equals("tool", in: body) {
            self = .tool
        } else {
            return nil
        }
    }
}

/// Which fields of an object were there.
struct SeenFields {
    private var bits: UInt16 = 0

    /// False where it was there before.
    mutating func insert(_ field: UInt8) -> Bool {
        let bit: UInt16 = 1 << field
        defer { bits |= bit }
        return bits & bit == 0
    }

    func contains(_ fields: UInt16) -> Bool { bits & fields == fields }
}

enum LogField {
    case conversationID, messages, channel, metadata, unknown

    init(_ name: TextSlice, in body: UnsafeRawBufferPointer) {
        self = name.withText(in: body) { name in
            switch name.count {
            case 15 where ("conversation_id" as StaticString).matches(name): .conversationID
            case 8 where ("messages" as StaticString).matches(name): .messages
            case 8 where ("metadata" as StaticString).matches(name): .metadata
            case 7 where ("channel" as StaticString).matches(name): .channel
            default: .unknown
            }
        }
    }
}

/// A message's fields, those first that must be there.
enum MessageField: UInt8 {
    case id, role, content, sentAt, userID, tokensIn, tokensOut, model, metadata
    case unknown

    static let required: UInt16 = 0b1111

    init(_ name: TextSlice, in body: UnsafeRawBufferPointer) {
        self = name.withText(in: body) { name in
            switch name.count {
            case 2 where ("id" as StaticString).matches(name): .id
            case 4 where ("role" as StaticString).matches(name): .role
            case 7 where ("content" as StaticString).matches(name): .content
            case 7 where ("sent_at" as StaticString).matches(name): .sentAt
            case 7 where ("user_id" as StaticString).matches(name): .userID
            case 9 where ("tokens_in" as StaticString).matches(name): .tokensIn
            case 10 where ("tokens_out" as StaticString).matches(name): .tokensOut
            case 5 where ("model" as StaticString).matches(name): .model
            case 8 where ("metadata" as StaticString).matches(name): .metadata
            default: .unknown
            }
        }
    }
}
