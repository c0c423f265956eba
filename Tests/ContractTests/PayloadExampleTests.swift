internal import Foundation
import Testing

@testable internal import Contract

/// The table that the published schemas are held against as well, by a validator that is not ours.
@Suite struct PayloadExampleTests {
    struct Examples: Decodable {
        var taken: [JSONValue]
        var refused: [Refused]
        var refusedByRulesAlone: [Refused]?

        enum CodingKeys: String, CodingKey {
            case taken, refused
            case refusedByRulesAlone = "refused by rules alone"
        }
    }

    /// The place that is blamed, and the payload.
    struct Refused: Decodable {
        var field: String
        var payload: JSONValue

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            field = try pair.decode(String.self)
            payload = try pair.decode(JSONValue.self)
        }
    }

    static func examples() throws -> [String: Examples] {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try JSONDecoder().decode(
            [String: Examples].self, from: Data(contentsOf: tests.appending(path: "Wire/examples.json")))
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
        for refused in examples.refused + (examples.refusedByRulesAlone ?? []) {
            #expect(try Self.verdict(kind, refused.payload) == "invalid_payload \(refused.field)", "\(refused.payload)")
        }
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
