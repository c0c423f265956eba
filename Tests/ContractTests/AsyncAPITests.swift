import Testing

@testable internal import Contract

/// What the document says of itself. Whether AsyncAPI's own schema takes it, `CommandTests` asks a validator that is not ours.
@Suite struct AsyncAPITests {
    private let document = AsyncAPIDocument.document

    @Test func `Every kind has its operation, messages and schemas`() {
        #expect(document["asyncapi"] == "3.0.0")
        let components = document["components"]
        for kind in Kind.all {
            #expect(document["operations"]?[kind.name]?["action"] == "receive")
            #expect(document["channels"]?["jobs"]?["messages"]?[kind.name] != nil)
            #expect(document["channels"]?["answers"]?["messages"]?["\(kind.name).answer"] != nil)
            #expect(components?["messages"]?[kind.name]?["payload"] != nil)
            #expect(components?["schemas"]?[kind.name]?["type"] == "object")
            #expect(components?["schemas"]?["\(kind.name).result"]?["type"] == "object")
        }
    }

    @Test func `Every event has its message, its schema and its routing key`() {
        for event in LifecycleEvent.allCases {
            #expect(document["channels"]?["events"]?["messages"]?[event.rawValue] != nil)
            let message = document["components"]?["messages"]?[event.rawValue]
            #expect(message?["x-tenantry"]?["routingKey"] == .string(event.routingKey))
            let schema = document["components"]?["schemas"]?[event.rawValue]
            #expect(schema?["properties"]?["event"] == ["const": .string(event.rawValue)])
        }
    }

    @Test func `Every reference leads somewhere`() {
        var count = 0
        visit(document) { members in
            guard case .string(let target)? = members["$ref"] else { return }
            #expect(self.target(of: target) != nil, "\(target)")
            count += 1
        }
        #expect(count > 200)
    }

    /// AsyncAPI 3.0.0, Operation Object: its messages are a subset of its channel's, by reference to them there.
    @Test func `An operation's messages are its channel's`() throws {
        guard case .object(let operations)? = document["operations"] else { throw Missing() }
        #expect(operations.count == Kind.all.count + 3)
        for (name, operation) in operations {
            for side in [operation, operation["reply"]].compactMap({ $0 }) {
                guard case .string(let channel)? = side["channel"]?["$ref"], case .array(let messages)? = side["messages"] else {
                    throw Missing()
                }
                #expect(!messages.isEmpty)
                for message in messages {
                    guard case .string(let target)? = message["$ref"] else { throw Missing() }
                    #expect(target.hasPrefix("\(channel)/messages/"), "\(name): \(target)")
                }
            }
        }
    }

    /// AsyncAPI 3.0.0, Channel Object: every expression in an address has its parameter, and there are no others.
    @Test func `A channel's address and parameters agree`() throws {
        guard case .object(let channels)? = document["channels"] else { throw Missing() }
        #expect(Set(channels.keys) == ["jobs", "answers", "dead", "alerts", "events"])
        for (name, channel) in channels {
            guard case .string(let address)? = channel["address"] else {
                #expect(name == "answers" && channel["address"] == .null && channel["parameters"] == nil)
                continue
            }
            guard case .object(let parameters)? = channel["parameters"] else { throw Missing() }
            #expect(Set(address.matches(of: /{([a-z]+)}/).map { String($0.1) }) == Set(parameters.keys), "\(name)")
        }
    }

    @Test func `A required field is one that the schema describes`() {
        visit(document["components"]?["schemas"] ?? .null) { members in
            // Conditions name fields that the schema around them describes.
            guard case .array(let required)? = members["required"], members["type"] == "object" else { return }
            for case .string(let name) in required { #expect(members["properties"]?[name] != nil, "\(name)") }
        }
    }

    @Test func `The document is the same every time`() {
        #expect(AsyncAPIDocument.render() == AsyncAPIDocument.render())
    }

    private struct Missing: Error {}

    private func target(of reference: String) -> JSONValue? {
        reference.split(separator: "/").dropFirst().reduce(Optional(document)) { $0?[String($1)] }
    }

    /// Every object within a value.
    private func visit(_ value: JSONValue, _ look: ([String: JSONValue]) -> Void) {
        switch value {
        case .array(let elements):
            for element in elements { visit(element, look) }
        case .object(let members):
            look(members)
            for member in members.values { visit(member, look) }
        default: break
        }
    }
}
