/// What is wrong with a value, and where in it. The way there is told from the inside out, so that nothing is made where nothing is wrong.
struct FieldFailure: Error {
    let message: String
    private var steps: [JSONPointer.Step] = []

    init(_ message: String) {
        self.message = message
    }

    /// The same, of a member or an element of the value around.
    func at(_ step: JSONPointer.Step) -> FieldFailure {
        var failure = self
        failure.steps.append(step)
        return failure
    }

    func at(_ name: String) -> FieldFailure { at(.name(name)) }

    var rejection: Rejection { .invalid(JSONPointer(steps.reversed()).text, message) }
}
