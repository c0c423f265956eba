/// What a job's sender is told, over the default exchange, after the commit (contract, section 2).
public struct Answer: Sendable, Equatable {
    public enum Status: String, Sendable, CaseIterable, ClosedWord {
        case succeeded, rejected

        /// The property `type` of the answer.
        public var messageType: String { "job.\(rawValue)" }
    }

    public var jobID: String
    /// As the job named it, known or not.
    public var kind: String
    public var status: Status
    /// The job had succeeded before: `result` is the first one.
    public var duplicate: Bool
    public var result: JSONValue?
    public var error: Rejection?

    public init(jobID: String, kind: String, result: JSONValue, duplicate: Bool = false) {
        self.jobID = jobID
        self.kind = kind
        self.status = .succeeded
        self.duplicate = duplicate
        self.result = result
    }

    public init(jobID: String, kind: String, error: Rejection) {
        self.jobID = jobID
        self.kind = kind
        self.status = .rejected
        self.duplicate = false
        self.error = error
    }

    /// The body: JSON with every key of the contract; `result` and `error` are null where they do not apply.
    public func encoded() -> [UInt8] {
        var output: [UInt8] = []
        output.append(contentsOf: #"{"job_id":"#.utf8)
        output.appendJSON(jobID)
        output.append(contentsOf: #","kind":"#.utf8)
        output.appendJSON(kind)
        output.append(contentsOf: #","status":"\#(status.rawValue)","duplicate":\#(duplicate),"result":"#.utf8)
        (result ?? .null).append(to: &output)
        output.append(contentsOf: #","error":"#.utf8)
        (error?.json ?? .null).append(to: &output)
        output.append(Ascii.closeBrace)
        return output
    }

    /// An answer from its body.
    ///
    /// - Throws: `malformed_json` or `invalid_payload` where the bytes are no answer.
    public init(parsing body: [UInt8]) throws(Rejection) {
        self = try Self.fields.parse(body)
    }

    static let fields = Fields(Answer(jobID: "", kind: "", result: .null)) {
        Field("job_id", \.jobID, .anyText)
        Field("kind", \.kind, .anyText)
        Field("status", \.status, .word)
        Field("duplicate", \.duplicate, .boolean)
        Field("result", \.result, .json(Schema.anyObject))
        Field("error", \.error, Rejection.fieldType)
    }

    /// Every field is written: what does not apply is null.
    static let schema = fields.schema.mergePatch(["required": .array(fields.names.map { .string($0) })])
}
