/// What is wrong with a value, and where in it. The way there is told from the inside out, so that nothing is made where nothing is wrong.
struct FieldFailure: Error {
    let message: String
    private let code: ErrorCode
    private var steps: [JSONPointer.Step] = []

    init(_ message: String, code: ErrorCode = .invalidPayload) {
        self.message = message
        self.code = code
    }

    /// `payload_too_large`: something has more bytes than it may have.
    static func tooLarge(_ bytes: Int, most: Int, _ what: String) -> FieldFailure {
        FieldFailure("has \(bytes) bytes; \(what) at most \(most)", code: .payloadTooLarge)
    }

    /// The same, of a member or an element of the value around.
    func at(_ step: JSONPointer.Step) -> FieldFailure {
        var failure = self
        failure.steps.append(step)
        return failure
    }

    func at(_ name: String) -> FieldFailure { at(.name(name)) }

    var rejection: Rejection { Rejection(code, message, field: JSONPointer(steps.reversed()).text) }
}
