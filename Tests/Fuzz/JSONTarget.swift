@testable internal import Contract

extension FuzzTarget {
    /// The readers of JSON agree on what JSON is, and what is written is read again.
    static let json = FuzzTarget("json") { input in
        input.withUnsafeBytes { bytes in
            var reader = JSONReader(bytes, .stored)
            _ = reader.read()
            return 0
        }
    } check: { input in
        input.withUnsafeBytes { bytes in
            var stored = JSONReader(bytes, .stored)
            let value = stored.read()
            expect((value == nil) == (stored.fault != nil), "a value with a fault, or none without one")
            if let pointer = stored.pointerOfNUL { expect(pointer.text.utf8.count <= JSONPointer.limitBytes, "a long pointer") }
            expect(passesOver(bytes, .stored) == (value != nil), "reading and passing over do not agree")

            var payload = JSONReader(bytes, .payload)
            let bounded = payload.read()
            expect(passesOver(bytes, .payload) == (bounded != nil), "reading and passing over do not agree on a payload's bounds")
            if bounded != nil { expect(bounded == value, "the budget changes the value") }
            if let value { checkWriting(value) }
        }
    }

    private static func passesOver(_ bytes: UnsafeRawBufferPointer, _ budget: JSONBudget) -> Bool {
        guard UTF8Validity.holds(bytes) else { return false }
        expect(String(validating: bytes, as: UTF8.self) != nil, "UTF-8 that the standard library does not take")
        var cursor = JSONCursor(bytes, budget: budget)
        guard cursor.skipValue(depth: 0) else { return false }
        cursor.skipSpace()
        return cursor.position == bytes.count
    }

    private static func checkWriting(_ value: JSONValue) {
        let written = value.serialised()
        guard let again = try? JSONValue(parsing: written) else { fatalError("what was written is no JSON") }
        expect(again.serialised() == written, "what was written is read as something else")
        expect(again == value || holdsInfinity(value), "what was written is read as another value")
        expect(
            (try? JSONValue(parsing: Array(value.pretty().utf8))) == again, "what was written for people is read as another value"
        )
        expect(value.mergePatch(value).mergePatch(value) == value.mergePatch(value), "a patch does more the second time")
    }

    /// A number that no `Double` holds is written as null.
    private static func holdsInfinity(_ value: JSONValue) -> Bool {
        switch value {
        case .double(let number): !number.isFinite
        case .array(let elements): elements.contains { holdsInfinity($0) }
        case .object(let members): members.values.contains { holdsInfinity($0) }
        default: false
        }
    }
}
