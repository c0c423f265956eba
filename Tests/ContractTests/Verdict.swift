@testable internal import Contract

/// What a decoder said of a body: nil where it took it, `code pointer` where it did not.
func verdict<Payload: JobPayload>(_ type: Payload.Type, _ body: String) -> String? {
    verdict(type, Array(body.utf8))
}

func verdict<Payload: JobPayload>(_ type: Payload.Type, _ body: [UInt8]) -> String? {
    do throws(Rejection) {
        _ = try PayloadDecoder.decode(type, from: body)
        return nil
    } catch {
        return "\(error.code.rawValue) \(error.field ?? "-")"
    }
}

/// As the hot reader says it, at 2026-11-23T00:00:00Z.
func hotVerdict(_ body: [UInt8]) -> String? {
    var reader = ConversationLogReader()
    return body.withUnsafeBytes { bytes in
        do throws(Rejection) {
            try reader.read(bytes, nowMicroseconds: present)
            return nil
        } catch {
            return "\(error.code.rawValue) \(error.field ?? "-")"
        }
    }
}

/// Whether the hot reader takes the body by itself, without asking the cold path.
func hotAccepts(_ body: [UInt8]) -> Bool {
    var reader = ConversationLogReader()
    return body.withUnsafeBytes { reader.accepts($0, nowMicroseconds: present) }
}

func coldVerdict(_ body: [UInt8]) -> String? {
    do throws(Rejection) {
        try PayloadDecoder.decode(ConversationLog.self, from: body).validate(nowMicroseconds: present)
        return nil
    } catch {
        return "\(error.code.rawValue) \(error.field ?? "-")"
    }
}

let present = RFC3339.microseconds("2026-11-23T00:00:00Z") ?? 0

/// The JSON that a producer in Swift sends.
func encoded(_ payload: some JobPayload) -> String {
    String(decoding: payload.encoded(), as: UTF8.self)
}
