/// The AsyncAPI 3.0 document of what goes over the broker (https://www.asyncapi.com/docs/reference/specification/v3.0.0), made
/// from `Kind.payloads`, so that it cannot say anything else than the code does.
public enum AsyncAPIDocument {
    /// The document as JSON, names in order: the same code gives the same bytes.
    public static func render() -> String { document.pretty() + "\n" }

    /// The document as a value.
    public static var document: JSONValue {
        [
            "asyncapi": "3.0.0",
            "info": [
                "title": "Tenantry", "version": "1.0.0",
                "description": "Jobs that the fleet takes, what it answers, and the alerts and events it publishes.",
            ],
            "defaultContentType": "application/json",
            "servers": ["broker": ["host": "localhost:5672", "protocol": "amqp", "protocolVersion": "0.9.1"]],
            "channels": channels,
            "operations": operations,
            "components": ["messages": messages, "schemas": schemas],
        ]
    }

    static func reference(_ path: String) -> JSONValue { ["$ref": .string("#/\(path)")] }

    private static var jobMessages: [String: JSONValue] {
        Dictionary(uniqueKeysWithValues: Kind.all.map { ($0.name, reference("components/messages/\($0.name)")) })
    }

    private static var channels: JSONValue {
        [
            "jobs": channel(Topology.jobsExchange, "Jobs; the routing key is the kind.", jobMessages),
            "answers": [
                "address": .null, "description": "The queue that the job's reply_to names, over the default exchange.",
                "messages": ["answer": reference("components/messages/answer")],
            ],
            "dead": channel(
                Topology.deadExchange, "Jobs that were rejected; the routing key is the kind.",
                ["deadLetter": reference("components/messages/deadLetter")]),
            "alerts": channel(
                Topology.alertsExchange,
                "Thresholds crossed; the routing key is limit.<state>.<metric>.<account>.<tenant or _pool>.",
                ["alert": reference("components/messages/alert")]),
            "events": channel(
                Topology.eventsExchange, "Outcomes of jobs; the routing key is job.<succeeded|rejected>.<kind>.",
                ["answer": reference("components/messages/answer")]),
        ]
    }

    private static func channel(_ exchange: String, _ description: String, _ messages: [String: JSONValue]) -> JSONValue {
        let binding: JSONValue = ["name": .string(exchange), "type": "topic", "durable": true, "autoDelete": false]
        return [
            "address": .string(exchange), "description": .string(description), "messages": .object(messages),
            "bindings": ["amqp": ["is": "routingKey", "exchange": binding]],
        ]
    }

    private static var operations: JSONValue {
        var operations: [String: JSONValue] = [
            "publishAlert": operation("send", "alerts", "alert"), "publishEvent": operation("send", "events", "answer"),
            "deadLetter": operation("send", "dead", "deadLetter"),
        ]
        for kind in Kind.all {
            let reply: JSONValue = [
                "address": ["location": "$message.header#/replyTo"], "channel": reference("channels/answers"),
                "messages": [reference("channels/answers/messages/answer")],
            ]
            operations[kind.name] = operation("receive", "jobs", kind.name).mergePatch([
                "summary": .string(kind.summary), "reply": reply,
            ])
        }
        return .object(operations)
    }

    private static func operation(_ action: String, _ channel: String, _ message: String) -> JSONValue {
        [
            "action": .string(action), "channel": reference("channels/\(channel)"),
            "messages": [reference("channels/\(channel)/messages/\(message)")],
        ]
    }
}
