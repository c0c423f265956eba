internal import Foundation
import Testing

@testable internal import Contract

/// The table that the published schemas are held against as well, by a validator that is not ours.
@Suite struct PayloadExampleTests {
    struct Examples {
        var taken: [JSONValue] = []
        var refused: [Refused] = []
        var refusedByRulesAlone: [Refused] = []
        let who: JSONValue?
        let needsTenant: JSONValue?
        let isAudited: JSONValue?

        init(_ json: JSONValue) {
            who = json["who"]
            needsTenant = json["needs tenant"]
            isAudited = json["is audited"]
            if case .array(let payloads)? = json["taken"] { taken = payloads }
            refused = Self.list(json["refused"])
            refusedByRulesAlone = Self.list(json["refused by rules alone"])
        }

        private static func list(_ json: JSONValue?) -> [Refused] {
            guard case .array(let pairs)? = json else { return [] }
            return pairs.compactMap { pair in
                guard case .array(let parts) = pair, parts.count == 2, case .string(let field) = parts[0] else { return nil }
                return Refused(field: field, payload: parts[1])
            }
        }
    }

    /// The place that is blamed, and the payload.
    struct Refused {
        var field: String
        var payload: JSONValue
    }

    static func examples() throws -> [String: Examples] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let json = try JSONValue(parsing: Array(Data(contentsOf: tests.appending(path: "Wire/examples.json"))))
        guard case .object(let kinds) = json else { return [:] }
        return kinds.mapValues { Examples($0) }
    }

    private static func verdict(_ kind: Kind, _ payload: JSONValue) throws -> String? {
        let type = try #require(Kind.payloads.first { $0.kind == kind })
        return ContractTests.verdict(type, payload.serialised())
    }

    @Test(arguments: Kind.all)
    func `A payload is taken, or refused with the place that is to blame`(kind: Kind) throws {
        let examples = try #require(try Self.examples()[kind.name], "no examples of \(kind)")
        #expect(!examples.taken.isEmpty && examples.refused.count >= 2)
        for payload in examples.taken { #expect(try Self.verdict(kind, payload) == nil, "\(payload)") }
        for refused in examples.refused + examples.refusedByRulesAlone {
            #expect(try Self.verdict(kind, refused.payload) == "invalid_payload \(refused.field)", "\(refused.payload)")
        }
    }

    @Test(arguments: Kind.all)
    func `The example in the documents is taken, and so its schema has it`(kind: Kind) throws {
        #expect(try Self.verdict(kind, kind.payload.exampleJSON) == nil)
        #expect(try SchemaValidator.takes(kind.payload.exampleJSON, kind.payload.schema))
    }

    @Test func `There are examples of the kinds that there are, and of no others`() throws {
        #expect(Set(try Self.examples().keys) == Set(Kind.all.map(\.name)))
    }

    @Test(arguments: Kind.all)
    func `Every required field is missed in some example, by its name`(kind: Kind) throws {
        let type = try #require(Kind.payloads.first { $0.kind == kind })
        guard case .array(let required)? = type.schema["required"] else { return }
        let missed = try #require(try Self.examples()[kind.name]).refused
        for case .string(let name) in required {
            let isMissed = missed.contains { refused in
                guard case .object(let members) = refused.payload else { return false }
                return refused.field == "/\(name)" && members[name] == nil
            }
            #expect(isMissed, "\(kind) without \(name)")
        }
    }
}
