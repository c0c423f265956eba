extension AsyncAPIDocument {
    static var channels: JSONValue {
        let kind: JSONValue = [
            "description": "The job's kind.", "enum": .array(Kind.all.map { .string($0.name) }),
        ]
        return [
            "jobs": channel(
                Topology.jobsExchange, "{kind}", ["kind": kind], messages: Kind.all.map(\.name),
                """
                Jobs, published persistent and with confirms. The property message_id is required, 1 to 128 characters: the job's id, unique \
                within the account; a job that comes again under the same id has no second effect. The property type, if it is set, agrees with the \
                routing key.
                """),
            "answers": [
                "address": .null,
                "description": "The queue that the job's reply_to names, over the default exchange, after the commit.",
                "messages": messageReferences(["answer"] + Kind.all.map { answer(to: $0) }),
            ],
            "dead": channel(
                Topology.deadExchange, "{kind}", ["kind": ["description": "The kind as the job named it, known or not."]],
                messages: ["deadLetter"], "Jobs that were rejected."),
            "alerts": channel(
                Topology.alertsExchange, "limit.{state}.{metric}.{account}.{tenant}",
                [
                    "state": ["enum": .array(AlertEvent.State.allCases.map { .string($0.rawValue) })],
                    "metric": ["enum": .array(Metric.allCases.map { .string($0.rawValue) })],
                    "account": ["description": "The account's slug."],
                    "tenant": ["description": "The tenant's slug, or _pool for the account's pool."],
                ],
                messages: ["alert"], "Thresholds of limits, crossed or left again."),
            "events": channel(
                Topology.eventsExchange, "{event}.{subject}",
                [
                    "event": [
                        "description": "What happened: two words with a dot.",
                        "enum": .array(outcomes.map { .string($0) } + LifecycleEvent.allCases.map { .string($0.rawValue) }),
                    ],
                    "subject": ["description": "The kind of a job; otherwise what x-tenantry.routingKey says of the event."],
                ],
                messages: ["outcome"] + LifecycleEvent.allCases.map(\.rawValue),
                "Outcomes of jobs, and what becomes known of accounts and tenants."),
        ]
    }

    /// The message that answers jobs of this kind.
    static func answer(to kind: Kind) -> String { "\(kind.name).answer" }

    private static var outcomes: [String] { Answer.Status.allCases.map(\.messageType) }

    private static func messageReferences(_ names: [String]) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: names.map { ($0, reference("components/messages/\($0)")) }))
    }

    /// - Parameter address: the routing key, what differs in braces.
    private static func channel(
        _ exchange: String, _ address: String, _ parameters: [String: JSONValue], messages: [String], _ description: String
    ) -> JSONValue {
        let binding: JSONValue = ["name": .string(exchange), "type": "topic", "durable": true, "autoDelete": false]
        return [
            "address": .string(address), "title": .string(exchange), "description": .string(description),
            "parameters": .object(parameters), "messages": messageReferences(messages),
            "bindings": ["amqp": ["is": "routingKey", "exchange": binding, "bindingVersion": "0.3.0"]],
        ]
    }
}
