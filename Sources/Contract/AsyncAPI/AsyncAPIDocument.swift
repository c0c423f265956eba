/// The AsyncAPI 3.0 document of what goes over the broker (https://www.asyncapi.com/docs/reference/specification/v3.0.0), made
/// from `Kind.payloads` and `LifecycleEvent`, so that it cannot say anything else than the code does.
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
            "servers": [
                "broker": [
                    "host": "localhost:5672", "protocol": "amqp", "protocolVersion": "0.9.1",
                    "security": [reference("components/securitySchemes/broker")],
                ]
            ],
            "channels": channels,
            "operations": operations,
            "components": [
                "messages": messages, "schemas": schemas, "securitySchemes": securitySchemes, "correlationIds": correlationIDs,
            ],
        ]
    }

    static func reference(_ path: String) -> JSONValue { ["$ref": .string("#/\(path)")] }

    private static var operations: JSONValue {
        var operations: [String: JSONValue] = [
            "publishAlert": operation("send", "alerts", ["alert"]),
            "publishEvent": operation("send", "events", ["outcome"] + LifecycleEvent.allCases.map(\.rawValue)),
            "deadLetter": operation("send", "dead", ["deadLetter"]),
        ]
        for kind in Kind.all {
            operations[kind.name] = operation("receive", "jobs", [kind.name]).mergePatch([
                "summary": .string(kind.summary), "security": [reference("components/securitySchemes/credential")],
                // How a job is published: persistent, and returned where no queue takes it.
                "bindings": ["amqp": ["deliveryMode": 2, "mandatory": true, "ack": true, "bindingVersion": "0.3.0"]],
                "reply": [
                    "address": [
                        "location": "$message.header#/replyTo",
                        "description": "The property reply_to; a job without one gets no answer.",
                    ],
                    "channel": reference("channels/answers"),
                    "messages": [reference("channels/answers/messages/\(answer(to: kind))")],
                ],
            ])
        }
        return .object(operations)
    }

    private static func operation(_ action: String, _ channel: String, _ messages: [String]) -> JSONValue {
        [
            "action": .string(action), "channel": reference("channels/\(channel)"),
            "messages": .array(messages.map { reference("channels/\(channel)/messages/\($0)") }),
        ]
    }

    private static var securitySchemes: JSONValue {
        [
            "broker": ["type": "userPassword", "description": "The broker's own users and virtual hosts."],
            "credential": [
                "type": "http", "scheme": "bearer", "bearerFormat": "<key>.<secret>",
                "description": """
                In the message's header authorization: "Bearer <key>.<secret>", of an operator, an account, an administrator or a token. \
                x-tenantry.who says which of them may send a kind.
                """,
            ],
        ]
    }

    private static var correlationIDs: JSONValue {
        [
            "job": [
                "location": "$message.header#/correlationId",
                "description": "The property correlation_id comes back in the answer; without one, the job's message_id does.",
            ]
        ]
    }
}
