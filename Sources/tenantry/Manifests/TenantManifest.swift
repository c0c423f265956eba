internal import Contract
internal import Yams

/// A manifest of tenants in YAML, checked: every complaint names the file, the line and the key.
///
///     defaults: {plan: pro, settings: {tone: kind}}
///     tenants:
///       - {slug: acme-shop, display_name: Shop}
///       - {slug: "acme-{n}", display_name: "Branch {n}", count: 200}
struct TenantManifest {
    /// A tenant that the manifest asks for, and its place in the file.
    struct Entry {
        let fields: [String: JSONValue]
        let place: YAMLPlace
        var slug: String {
            guard case .string(let slug)? = fields["slug"] else { return "" }
            return slug
        }
    }

    private static let fields: Set<String> = [
        "slug", "display_name", "plan", "environment", "template", "billing_mode", "stripe_account", "settings", "limits",
    ]
    /// More than any one platform has use for in one file, and few enough to be held in memory.
    private static let most = 100_000

    let defaults: [String: JSONValue]
    private(set) var entries: [Entry] = []
    private let defaultsPlace: YAMLPlace?

    init(file: String) throws {
        guard let top = try YAMLPlace.read(file) else { throw Failure("\(file): tenants is missing") }
        let keys = try Self.members(of: top, ["defaults", "tenants"])
        defaultsPlace = keys["defaults"]
        defaults = try defaultsPlace.map { try Self.values(Self.members(of: $0, Self.fields.subtracting(["slug"]))) } ?? [:]
        guard let list = keys["tenants"] else { throw top.fault("tenants is missing") }
        guard case .sequence(let nodes) = list.node else { throw list.fault("must be a list of tenants") }
        for (index, node) in nodes.enumerated() {
            try append(YAMLPlace(file: file, path: ["tenants[\(index)]"], node: node))
            guard entries.count <= Self.most else { throw list.fault("has more than \(Self.most) tenants") }
        }
        guard !entries.isEmpty else { throw list.fault("names no tenant") }
        try check()
    }

    /// One entry of the list, which may stand for many.
    private mutating func append(_ place: YAMLPlace) throws {
        var members = try Self.members(of: place, Self.fields.union(["count"]))
        let count = try members.removeValue(forKey: "count").map { place -> Int in
            guard let count = place.node.int, (1...Self.most).contains(count) else {
                throw place.fault("must be a whole number from 1 to \(Self.most)")
            }
            return count
        }
        let own = try Self.values(members)
        guard let count else { return entries.append(Entry(fields: own, place: place)) }
        guard case .string(let slug)? = own["slug"], slug.contains("{n}") else {
            throw place.fault("with a count, the slug must contain {n}, which stands for 1 to \(count)")
        }
        for number in 1...count {
            var fields = own
            for name in ["slug", "display_name"] {
                guard case .string(let text)? = own[name] ?? defaults[name] else { continue }
                fields[name] = .string(text.replacing("{n}", with: "\(number)"))
            }
            entries.append(Entry(fields: fields, place: place))
        }
    }

    /// The rules of `tenant.create`, and every slug once: they are checked before anything is sent.
    private func check() throws {
        var placeOf: [String: YAMLPlace] = [:]
        for entry in entries {
            do throws(Rejection) {
                _ = try TenantCreateMany(defaults: defaults, tenants: [entry.fields]).item(0)
            } catch {
                let keys = (error.field ?? "").split(separator: "/").dropFirst(2).map { String($0) }
                let place = entry.place.descendant(keys) ?? defaultsPlace?.descendant(keys)
                let text = place == nil && !keys.isEmpty ? "\(keys.joined(separator: ".")) \(error.message)" : error.message
                throw (place ?? entry.place).fault(text)
            }
            if let first = placeOf.updateValue(entry.place, forKey: entry.slug) {
                throw (entry.place.descendant(["slug"]) ?? entry.place).fault(
                    "\(entry.slug) is the slug of an earlier tenant, in line \(first.line)")
            }
        }
    }

    private static func values(_ members: [String: YAMLPlace]) throws -> [String: JSONValue] {
        try Dictionary(
            uniqueKeysWithValues: members.map { name, place in
                let isText = !["settings", "limits"].contains(name)
                // A field of text stays text, also if its value looks like a number.
                if isText, let text = place.node.scalar?.string, !place.isNull { return (name, .string(text)) }
                return (name, try place.json())
            })
    }

    private static func members(of place: YAMLPlace, _ known: Set<String>) throws -> [String: YAMLPlace] {
        guard case .mapping(let mapping) = place.node else { throw place.fault("must be a mapping") }
        var members: [String: YAMLPlace] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            let member = YAMLPlace(file: place.file, path: place.path + [name], node: value)
            guard known.contains(name) else {
                let line = key.mark?.line ?? place.line
                throw member.fault("there is no such key here; there are \(known.sorted().joined(separator: ", "))", line: line)
            }
            members[name] = member
        }
        return members
    }
}

extension YAMLPlace {
    /// Counted from 1.
    var line: Int { node.mark?.line ?? 1 }

    /// A complaint with file, line and key.
    func fault(_ what: String, line: Int? = nil) -> Failure {
        Failure("\(file):\(line ?? self.line): \(path.isEmpty ? "" : name + ": ")\(what)")
    }

    /// What stands under these keys; nil if there is nothing.
    func descendant(_ keys: [String]) -> YAMLPlace? {
        guard let first = keys.first else { return self }
        guard case .mapping(let mapping) = node, let value = mapping.first(where: { $0.key.string == first })?.value else {
            return nil
        }
        return YAMLPlace(file: file, path: path + [first], node: value).descendant(Array(keys.dropFirst()))
    }

    /// The value as JSON has it. Words without quotes are read as JSON would read them; `no`, `12:30` and the like are texts.
    func json() throws -> JSONValue {
        switch node {
        case .mapping(let mapping):
            return .object(
                try Dictionary(
                    mapping.map { key, value in
                        guard let name = key.string else { throw fault("a key must be text") }
                        return (name, try YAMLPlace(file: file, path: path + [name], node: value).json())
                    }, uniquingKeysWith: { _, last in last }))
        case .sequence(let nodes):
            return .array(
                try nodes.enumerated().map { try YAMLPlace(file: file, path: path + ["\($0)"], node: $1).json() })
        case .scalar(let scalar): return scalar.style == .plain ? Self.word(scalar.string) : .string(scalar.string)
        case .alias: throw fault("is an alias of nothing")
        }
    }

    private static func word(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null": return .null
        case "true": return true
        case "false": return false
        default: break
        }
        guard let first = text.utf8.first, first == UInt8(ascii: "-") || (0x30...0x39).contains(first) else {
            return .string(text)
        }
        if let whole = Int64(text) { return .int(whole) }
        if !text.utf8.contains(UInt8(ascii: "x")), let number = Double(text), number.isFinite { return .double(number) }
        return .string(text)
    }
}
