/// The payload of one kind: what a producer encodes, what a handler is given.
public protocol JobPayload: Codable, Sendable {
    static var kind: Kind { get }
    /// The payload's JSON Schema (2020-12), for the AsyncAPI document.
    static var schema: JSONValue { get }
    /// The JSON Schema of `result` in the answer to a job that succeeded.
    static var resultSchema: JSONValue { get }
    /// Checks what the types do not say.
    /// - Throws: `invalid_payload` with the JSON Pointer of what is wrong.
    func validate() throws(Rejection)
}
