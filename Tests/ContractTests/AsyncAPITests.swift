import Testing

@testable internal import Contract

@Suite struct AsyncAPITests {
    @Test func `Every kind has its operation, message and schemas`() {
        let document = AsyncAPIDocument.document
        #expect(document["asyncapi"] == "3.0.0")
        for kind in Kind.all {
            #expect(document["operations"]?[kind.name]?["action"] == "receive")
            #expect(document["channels"]?["jobs"]?["messages"]?[kind.name] != nil)
            #expect(document["components"]?["messages"]?[kind.name]?["payload"] != nil)
            #expect(document["components"]?["schemas"]?[kind.name]?["type"] == "object")
        }
    }

    @Test func `Every reference leads somewhere`() {
        let document = AsyncAPIDocument.document
        var count = 0
        func visit(_ value: JSONValue) {
            switch value {
            case .array(let elements): elements.forEach(visit)
            case .object(let members):
                if case .string(let target)? = members["$ref"] {
                    let steps = target.split(separator: "/").dropFirst()
                    #expect(steps.reduce(Optional(document)) { $0?[String($1)] } != nil, "\(target)")
                    count += 1
                }
                members.values.forEach(visit)
            default: break
            }
        }
        visit(document)
        #expect(count > 40)
    }

    @Test func `A required field is one that the schema describes, and the document is the same every time`() {
        for payload in Kind.payloads {
            guard case .array(let required)? = payload.schema["required"] else { continue }
            for case .string(let name) in required {
                #expect(payload.schema["properties"]?[name] != nil, "\(payload.kind) \(name)")
            }
        }
        #expect(AsyncAPIDocument.render() == AsyncAPIDocument.render())
    }
}
