/// A field of an update that may also be cleared: absent, null and a value are three things.
public enum Change<Value: Sendable & Equatable>: Sendable, Equatable {
    /// Not in the payload: stays as it is.
    case keep
    /// null in the payload.
    case clear
    case set(Value)

    /// The new value, if there is one.
    public var value: Value? {
        guard case .set(let value) = self else { return nil }
        return value
    }
}
