extension AsyncAPIDocument {
    static var messages: JSONValue {
        var messages: [String: JSONValue] = [
            "answer": [
                "name": "answer", "title": "The answer to a job", "contentType": "application/json",
                "summary": "Sent after the commit; its type is job.succeeded or job.rejected.",
                "correlationId": correlationID, "payload": reference("components/schemas/answer"),
            ],
            "outcome": [
                "name": "outcome", "title": "What became of a job", "contentType": "application/json",
                "summary": "The job's answer without its result; its type is job.succeeded or job.rejected.",
                "description": "Published once, without waiting for anybody: whoever must not miss one asks for answers.",
                "payload": reference("components/schemas/outcome"), "x-tenantry": ["routingKey": "<type>.<kind>"],
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
            messages[kind.name] = job(kind)
            messages[answer(to: kind)] = [
                "name": .string(answer(to: kind)), "title": .string("The answer to \(kind.name)"),
                "contentType": "application/json", "correlationId": correlationID,
                "payload": reference("components/schemas/\(answer(to: kind))"),
            ]
        }
        for event in LifecycleEvent.allCases { messages[event.rawValue] = message(of: event) }
        return .object(messages)
    }

    private static var correlationID: JSONValue { reference("components/correlationIds/job") }

    private static func job(_ kind: Kind) -> JSONValue {
        [
            "name": .string(kind.name), "summary": .string(kind.summary), "contentType": "application/json",
            "headers": reference("components/schemas/\(headers(of: kind))"),
            "correlationId": correlationID, "payload": reference("components/schemas/\(kind.name)"),
            "examples": [["payload": kind.payload.exampleJSON]],
            "bindings": ["amqp": ["messageType": .string(kind.name), "bindingVersion": "0.3.0"]],
            "x-tenantry": [
                "family": .string(kind.family.rawValue), "queue": .string(kind.queue),
                "bodyLimitBytes": .int(Int64(kind.bodyLimitBytes)), "who": .array(who(kind.access).map { .string($0) }),
                "tenantStates": .array(TenantState.allCases.filter(kind.states.contains).map { .string($0.rawValue) }),
                "isAudited": .bool(kind.isAudited), "result": reference("components/schemas/\(kind.name).result"),
            ],
        ]
    }

    private static func message(of event: LifecycleEvent) -> JSONValue {
        [
            "name": .string(event.rawValue), "summary": .string(event.summary), "contentType": "application/json",
            "description": "Published until the broker confirms: after a crash it may come twice, under the same message_id.",
            "payload": reference("components/schemas/\(event.rawValue)"),
            "bindings": ["amqp": ["messageType": .string(event.rawValue), "bindingVersion": "0.3.0"]],
            "x-tenantry": ["routingKey": .string(event.routingKey)],
        ]
    }

    private static func who(_ access: Access) -> [String] {
        var who: [String] = []
        if access.operator { who.append("operator") }
        if access.account { who.append(access.accountAdministrator ? "account" : "account's own credential") }
        switch access.tenant {
        case .none: break
        case .administrator: who.append("tenant administrator")
        case .any: who.append("tenant")
        case .scope(let scope): who.append("tenant \(scope.rawValue)")
        }
        if access.fleet { who.append("fleet") }
        return who
    }
}
