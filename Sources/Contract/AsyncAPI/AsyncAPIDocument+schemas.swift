extension AsyncAPIDocument {
    static var schemas: JSONValue {
        var schemas: [String: JSONValue] = [
            "answer": Answer.schema, "alert": AlertEvent.schema, "outcome": JobOutcome.schema,
            "jobHeaders": headers(required: [Header.authorization]),
            "tenantJobHeaders": headers(required: [Header.authorization, Header.tenant]),
            "changeHeaders": headers(required: [Header.authorization], takesPrecondition: true),
            "tenantChangeHeaders": headers(required: [Header.authorization, Header.tenant], takesPrecondition: true),
            "deadLetterHeaders": deadLetterHeaders,
        ]
        for payload in Kind.payloads {
            let kind = payload.kind
            schemas[kind.name] = payload.schema
            schemas["\(kind.name).result"] = payload.resultSchema
            schemas[answer(to: kind)] = [
                "allOf": [
                    reference("components/schemas/answer"),
                    [
                        "properties": [
                            "kind": ["const": .string(kind.name)],
                            "result": ["anyOf": [["type": "null"], reference("components/schemas/\(kind.name).result")]],
                        ]
                    ],
                ]
            ]
        }
        for event in LifecycleEvent.allCases { schemas[event.rawValue] = event.schema }
        return .object(schemas)
    }

    private static func headers(required: [HeaderName], takesPrecondition: Bool = false) -> JSONValue {
        var properties: [String: JSONValue] = [
            Header.authorization.name: Schema.pattern(#"^Bearer [^.]+\..+$"#),
            Header.tenant.name: Slug.schema, Header.traceparent.name: Schema.anyText,
        ]
        if takesPrecondition {
            properties[Header.ifMatch.name] = Schema.anyText.mergePatch([
                "description": .string(
                    "Entity tags in quotes, separated by commas, or *: what the job changes must have one of them, or be there.")
            ])
        }
        return Schema.object(required: required.map(\.name), properties)
    }

    /// The schema of the headers of this kind's jobs.
    static func headers(of kind: Kind) -> String {
        switch (kind.needsTenant, kind.takesPrecondition) {
        case (false, false): "jobHeaders"
        case (true, false): "tenantJobHeaders"
        case (false, true): "changeHeaders"
        case (true, true): "tenantChangeHeaders"
        }
    }

    private static var deadLetterHeaders: JSONValue {
        let codes: JSONValue = ["type": "string", "enum": .array(ErrorCode.allCases.map { .string($0.rawValue) })]
        return Schema.object(
            required: [Header.errorCode, Header.errorMessage, Header.kind, Header.attempts, Header.failedAt].map(\.name),
            [
                Header.errorCode.name: codes, Header.errorMessage.name: Schema.anyText, Header.errorField.name: Schema.anyText,
                Header.kind.name: Schema.anyText, Header.attempts.name: Schema.count, Header.failedAt.name: Instant.schema,
                Header.letter.name: Schema.pattern("^[0-9a-f-]{36}$"), Header.key.name: Schema.anyText,
                Header.seal.name: Schema.pattern("^[0-9a-f]{64}$"), Header.redacted.name: Schema.anyText,
                Header.bodyBytes.name: Schema.count,
            ])
    }
}
