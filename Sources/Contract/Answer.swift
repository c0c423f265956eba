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
        let failure: JSONValue? = error.map {
            ["code": .string($0.code.rawValue), "message": .string($0.message), "field": $0.field.map { .string($0) } ?? .null]
        }
        (failure ?? .null).append(to: &output)
        output.append(Ascii.closeBrace)
        return output
    }

    /// The body of `conversation.log`'s answer, written over `output`, whose memory is used again.
    ///
    /// - Parameter jobID: the job's `message_id`, UTF-8.
    public static func encodeConversationLog(
        jobID: UnsafeRawBufferPointer, accepted: Int, duplicates: Int, duplicate: Bool = false, into output: inout [UInt8]
    ) {
        output.removeAll(keepingCapacity: true)
        output.append(contentsOf: #"{"job_id":""#.utf8)
        output.appendJSONEscaped(jobID)
        output.append(contentsOf: #"","kind":"conversation.log","status":"succeeded","duplicate":"#.utf8)
        output.append(contentsOf: (duplicate ? "true" : "false").utf8)
        output.append(contentsOf: #","result":{"accepted":"#.utf8)
        output.append(contentsOf: String(accepted).utf8)
        output.append(contentsOf: #","duplicates":"#.utf8)
        output.append(contentsOf: String(duplicates).utf8)
        output.append(contentsOf: #"},"error":null}"#.utf8)
    }

    static let schema: JSONValue = Schema.object(
        required: ["job_id", "kind", "status", "duplicate", "result", "error"],
        [
            "job_id": Schema.anyText, "kind": Schema.anyText, "status": Status.schema, "duplicate": Schema.boolean,
            "result": Schema.anyObject,
            "error": Schema.optional(Rejection.schema),
        ])
}

extension Answer: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, status, duplicate, result, error
        case jobID = "job_id"
    }

    private struct Failure: Codable {
        var code: ErrorCode
        var message: String
        var field: String?
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        jobID = try container.decode(String.self, forKey: .jobID)
        kind = try container.decode(String.self, forKey: .kind)
        status = try container.decode(Status.self, forKey: .status)
        duplicate = try container.decode(Bool.self, forKey: .duplicate)
        result = try container.decodeIfPresent(JSONValue.self, forKey: .result)
        error = try container.decodeIfPresent(Failure.self, forKey: .error).map {
            Rejection($0.code, $0.message, field: $0.field)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(jobID, forKey: .jobID)
        try container.encode(kind, forKey: .kind)
        try container.encode(status, forKey: .status)
        try container.encode(duplicate, forKey: .duplicate)
        try container.encode(result, forKey: .result)
        try container.encode(error.map { Failure(code: $0.code, message: $0.message, field: $0.field) }, forKey: .error)
    }
}
