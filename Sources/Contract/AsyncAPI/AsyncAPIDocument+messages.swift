extension AsyncAPIDocument {
    static var messages: JSONValue {
        var messages: [String: JSONValue] = [
            "answer": [
                "name": "answer", "title": "The answer to a job", "contentType": "application/json",
                "summary": "Sent after the commit; its type is job.succeeded or job.rejected.",
                "payload": reference("components/schemas/answer"),
            ],
            "alert": [
                "name": "alert", "title": "A threshold was crossed", "contentType": .string(AlertEvent.contentType),
                "payload": reference("components/schemas/alert"),
            ],
            "deadLetter": [
                "name": "deadLetter", "title": "A job that was rejected",
                "summary": "Body and properties as the sender published them; the headers say why.",
                "headers": reference("components/schemas/deadLetterHeaders"), "payload": [:],
            ],
        ]
        for kind in Kind.all {
            messages[kind.name] = [
                "name": .string(kind.name), "summary": .string(kind.summary), "contentType": "application/json",
                "headers": reference("components/schemas/\(kind.needsTenant ? "tenantJobHeaders" : "jobHeaders")"),
                "payload": reference("components/schemas/\(kind.name)"),
                "x-tenantry": [
                    "family": .string(kind.family.rawValue), "queue": .string(kind.family.queue),
                    "bodyLimitBytes": .int(Int64(kind.bodyLimitBytes)), "who": .array(who(kind.access).map { .string($0) }),
                    "result": reference("components/schemas/\(kind.name).result"),
                ],
            ]
        }
        return .object(messages)
    }

    static var schemas: JSONValue {
        var schemas: [String: JSONValue] = [
            "answer": Answer.schema, "alert": AlertEvent.schema,
            "jobHeaders": headers(required: [Header.authorization]),
            "tenantJobHeaders": headers(required: [Header.authorization, Header.tenant]),
            "deadLetterHeaders": deadLetterHeaders,
        ]
        for payload in Kind.payloads {
            schemas[payload.kind.name] = payload.schema
            schemas["\(payload.kind.name).result"] = payload.resultSchema
        }
        return .object(schemas)
    }

    private static func who(_ access: Access) -> [String] {
        var who: [String] = []
        if access.operator { who.append("operator") }
        if access.account { who.append("account") }
        switch access.tenant {
        case .none: break
        case .administrator: who.append("tenant administrator")
        case .any: who.append("tenant")
        case .scope(let scope): who.append("tenant \(scope.rawValue)")
        }
        if access.fleet { who.append("fleet") }
        return who
    }

    private static func headers(required: [HeaderName]) -> JSONValue {
        Schema.object(
            required: required.map(\.name),
            [
                Header.authorization.name: Schema.pattern(#"^Bearer [^.]+\..+$"#),
                Header.tenant.name: Slug.schema, Header.traceparent.name: Schema.anyText,
            ])
    }

    private static var deadLetterHeaders: JSONValue {
        let codes: JSONValue = ["type": "string", "enum": .array(ErrorCode.allCases.map { .string($0.rawValue) })]
        return Schema.object(
            required: [Header.errorCode, Header.errorMessage, Header.kind, Header.attempts, Header.failedAt].map(\.name),
            [
                Header.errorCode.name: codes, Header.errorMessage.name: Schema.anyText, Header.errorField.name: Schema.anyText,
                Header.kind.name: Schema.anyText, Header.attempts.name: Schema.count, Header.failedAt.name: Instant.schema,
            ])
    }
}
