internal import FoundationEssentials

@testable internal import Contract

extension FuzzTarget {
    /// A body as the payload of every kind: what one takes is written and taken again as the same, and its schema takes it, too.
    static let payload = FuzzTarget("payload") { input in
        for type in Kind.payloads { _ = try? decoded(type, input) }
        return 0
    } check: { input in
        for type in Kind.payloads { checkPayload(type, input) }
    }

    private static func decoded<Payload: JobPayload>(_ type: Payload.Type, _ body: [UInt8]) throws(Rejection) -> any JobPayload {
        try PayloadDecoder.decode(type, from: body)
    }

    private static func checkPayload<Payload: JobPayload>(_ type: Payload.Type, _ body: [UInt8]) {
        let audited = body.withUnsafeBytes { type.kind.auditedPayload(of: $0, mostBytes: 8_192) }
        expect(audited.serialised().count <= 8_192, "\(type.kind): the audit log keeps too much")
        do throws(Rejection) {
            let written = try PayloadDecoder.decode(type, from: body).encoded()
            do throws(Rejection) {
                let again = try PayloadDecoder.decode(type, from: written)
                expect(again.encoded() == written, "\(type.kind): what was written is read as something else")
            } catch {
                fatalError("\(type.kind): what was written is not taken: \(error)")
            }
            guard let value = try? JSONValue(parsing: body) else { fatalError("\(type.kind): taken, but no JSON") }
            expect((try? SchemaValidator.takes(value, type.schema)) == true, "\(type.kind): taken against its schema")
        } catch {
            expect(error.field?.utf8.count ?? 0 <= JSONPointer.limitBytes, "\(type.kind): a long pointer")
            expect(error.message.utf8.count <= 512, "\(type.kind): a long message")
        }
    }

    /// The hot reader of `conversation.log` and the general one take the same bodies, for the same values, and blame the same places.
    static let conversation = FuzzTarget("conversation") { input in
        _ = hotVerdict(input)
        return 0
    } check: { input in
        let cold = coldVerdict(input)
        expect(
            hotVerdict(input) == cold || isLongAsSent(input), "the readers do not agree: \(cold ?? "taken by the general one")")
        guard cold == nil, let log = try? PayloadDecoder.decode(ConversationLog.self, from: input) else { return }
        var reader = ConversationLogReader()
        input.withUnsafeBytes { bytes in
            guard (try? reader.read(bytes, nowMicroseconds: present)) != nil else { return }
            expect(reader.conversationID.string(in: bytes) == log.conversationID, "another conversation")
            expect(reader.channel?.string(in: bytes) == log.channel, "another channel")
            expect(object(reader.metadata, bytes) == log.metadata, "other metadata")
            expect(reader.messages.count == log.messages.count, "other messages")
            for (hot, cold) in zip(reader.messages, log.messages) {
                let message = ConversationLog.Message(
                    id: hot.id.string(in: bytes), role: hot.role, content: hot.content.string(in: bytes),
                    sentAt: Instant(microsecondsSince1970: hot.sentAtMicroseconds), userID: hot.userID?.string(in: bytes),
                    tokensIn: hot.tokensIn, tokensOut: hot.tokensOut, model: hot.model?.string(in: bytes),
                    metadata: object(hot.metadata, bytes))
                expect(message == cold, "another message")
            }
        }
    }

    private static func object(_ slice: RawSlice?, _ body: UnsafeRawBufferPointer) -> [String: JSONValue]? {
        guard let slice else { return nil }
        guard case .object(let members)? = try? JSONValue(parsing: Array(slice.bytes(in: body))) else { fatalError("no object") }
        return members
    }

    /// Metadata has its bound as it was sent, which the general reader does not see: only there the readers may differ.
    private static func isLongAsSent(_ body: [UInt8]) -> Bool { body.count > 16 << 10 }

    /// Date-times: read, written, and read again.
    static let instant = FuzzTarget("instant") { input in
        _ = input.withUnsafeBytes { RFC3339.microseconds($0) }
        return 0
    } check: { input in
        guard let microseconds = input.withUnsafeBytes({ RFC3339.microseconds($0) }) else { return }
        let text = RFC3339.text(microseconds)
        expect(String(validating: input, as: UTF8.self) != nil, "a date-time that is no text")
        // Up to a day before the year 0 or behind 9999, by its offset: such a one has no form of four digits.
        if (-62_167_219_200_000_000..<253_402_300_800_000_000).contains(microseconds) {
            expect(RFC3339.microseconds(text) == microseconds, "\(text) is read as another instant")
        }
    }

    /// Content in base64: no more bytes than it stands for, and the same when it is written again.
    static let base64 = FuzzTarget("base64") { input in
        document(input).contentBytes.count
    } check: { input in
        let bytes = document(input).contentBytes
        expect(bytes.count <= input.count / 4 * 3, "more bytes than base64 holds")
        expect(bytes.isEmpty || Data(bytes).base64EncodedString().utf8.count == input.count, "base64 of another length")
        let written = CorpusIngest.Document(
            externalID: "a", title: "a", mediaType: "text/plain", contentBase64: Data(bytes).base64EncodedString())
        expect(written.contentBytes == bytes, "what was written is read as something else")
    }

    private static func document(_ input: [UInt8]) -> CorpusIngest.Document {
        CorpusIngest.Document(
            externalID: "a", title: "a", mediaType: "text/plain", contentBase64: String(decoding: input, as: UTF8.self))
    }
}
