extension FieldType<[String: JSONValue]> {
    /// An object whose members are the sender's own business. The audit log keeps their names alone: what platforms put in there may be keys
    /// and passwords.
    static let anyObject = FieldType(
        schema: ["type": "object"],
        read: { value throws(FieldFailure) in
            guard case .object(let members) = value else { throw mismatch("an object", value) }
            try requireFiniteNumbers(in: value)
            return members
        }, write: { .object($0) },
        audited: { value in
            guard case .object(let members) = value else { return .null }
            return .array(members.keys.sorted().map { .string($0) })
        })

    /// What a conversation, a message or a document is described by.
    static let metadata = FieldType(
        schema: anyObject.schema, read: anyObject.read, write: anyObject.write,
        check: { metadata throws(FieldFailure) in
            let bytes = JSONValue.object(metadata).storedBytes
            if bytes > Bounds.metadataBytes { throw .tooLarge(bytes, most: Bounds.metadataBytes, "metadata has") }
        }, audited: anyObject.audited)

    /// A tenant's settings, or a template's. A setting's name is a key of an index, which has no room for texts of any length.
    static let settings: FieldType = {
        let name = FieldType<String>.text(Schema.settingNameLengths)
        return FieldType(
            schema: anyObject.schema.mergePatch(["propertyNames": name.schema]), read: anyObject.read, write: anyObject.write,
            check: { settings throws(FieldFailure) in
                for key in settings.keys.sorted() {
                    do throws(FieldFailure) { try name.check(key) } catch { throw error.at(key) }
                }
                let bytes = JSONValue.storedBytes(ofSettings: settings)
                if bytes > Bounds.settingsBytes {
                    throw .tooLarge(bytes, most: Bounds.settingsBytes, "settings have")
                }
            }, audited: anyObject.audited)
    }()

    /// A number that no `Double` holds cannot be stored.
    private static func requireFiniteNumbers(in value: JSONValue) throws(FieldFailure) {
        switch value {
        case .double(let number) where !number.isFinite: throw FieldFailure("is a number out of range")
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                do throws(FieldFailure) { try requireFiniteNumbers(in: element) } catch { throw error.at(.index(index)) }
            }
        case .object(let members):
            for (name, member) in members {
                do throws(FieldFailure) { try requireFiniteNumbers(in: member) } catch { throw error.at(name) }
            }
        default: break
        }
    }
}

extension FieldType<JSONValue> {
    /// Any JSON at all.
    static func json(_ schema: JSONValue) -> FieldType { FieldType(schema: schema, read: { $0 }, write: { $0 }) }
}

extension FieldType<Limits> {
    /// Custom limits: `{metric: integer ≥ 0, or null for unlimited}`.
    ///
    /// - Parameter forTenants: without the limits that only an account has.
    static func limits(forTenants: Bool) -> FieldType {
        FieldType(
            schema: Limits.schema(forTenants: forTenants),
            read: { value throws(FieldFailure) in
                guard case .object(let members) = value else { throw mismatch("an object", value) }
                var limits = Limits()
                // A dictionary has no order of its own; sorted, the same payload is always blamed at the same place.
                for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                    guard let metric = Metric(rawValue: name) else {
                        throw FieldFailure("is not a metric; it must be one of \(Metric.words)").at(name)
                    }
                    limits[metric] = try limit(member, at: name)
                }
                return limits
            },
            write: { limits in
                .object(Dictionary(uniqueKeysWithValues: limits.ordered.map { ($0.metric.rawValue, $0.limit.json) }))
            },
            check: { limits throws(FieldFailure) in
                guard forTenants else { return }
                for (metric, _) in limits.ordered where !metric.isForTenants {
                    throw FieldFailure("is a limit of accounts only").at(metric.rawValue)
                }
            },
            audited: { value in
                guard case .object(let members) = value else { return withoutContainers(value) }
                return .object(members.filter { Metric(rawValue: $0.key) != nil }.mapValues { withoutContainers($0) })
            })
    }

    private static func limit(_ value: JSONValue, at name: String) throws(FieldFailure) -> Limit {
        if value == .null { return .unlimited }
        do throws(FieldFailure) {
            let most = try FieldType<Int64>.anyInteger.read(value)
            guard most >= 0 else { throw FieldFailure("must be 0 or more, or null for unlimited") }
            return .most(most)
        } catch {
            throw error.at(name)
        }
    }
}

extension Limit {
    fileprivate var json: JSONValue { value.map { .int($0) } ?? .null }
}

extension FieldType {
    /// An object with fields of its own.
    static func object(_ fields: Fields<Value>) -> FieldType {
        FieldType(
            schema: fields.schema,
            read: { value throws(FieldFailure) in
                guard case .object(let members) = value else { throw mismatch("an object", value) }
                return try fields.read(members)
            }, write: { fields.write($0) }, check: { value throws(FieldFailure) in try fields.check(value) },
            audited: { fields.audited($0) })
    }

    /// A list, of so many elements where a range is given.
    static func list<Element>(_ element: FieldType<Element>, _ counts: ClosedRange<Int>? = nil) -> FieldType
    where Value == [Element] {
        FieldType(
            schema: Schema.list(element.schema, counts),
            read: { value throws(FieldFailure) in
                guard case .array(let values) = value else { throw mismatch("an array", value) }
                var elements: [Element] = []
                elements.reserveCapacity(values.count)
                for (index, value) in values.enumerated() {
                    do throws(FieldFailure) { elements.append(try element.read(value)) } catch { throw error.at(.index(index)) }
                }
                return elements
            }, write: { .array($0.map { element.write($0) }) },
            check: { elements throws(FieldFailure) in
                if let counts, !counts.contains(elements.count) {
                    throw FieldFailure("must have \(counts.lowerBound) to \(counts.upperBound) entries")
                }
                for (index, value) in elements.enumerated() {
                    do throws(FieldFailure) { try element.check(value) } catch { throw error.at(.index(index)) }
                }
            },
            audited: { value in
                guard case .array(let values) = value else { return withoutContainers(value) }
                return .array(values.map { element.audited($0) })
            })
    }

    /// A list in which no two elements have the same text in this field. Texts are compared byte by byte, as PostgreSQL compares them.
    static func list<Element>(
        _ element: FieldType<Element>, _ counts: ClosedRange<Int>, eachOnce name: String,
        _ text: @escaping @Sendable (Element) -> String
    ) -> FieldType where Value == [Element] {
        let list = list(element, counts)
        return FieldType(
            schema: list.schema, read: list.read, write: list.write,
            check: { elements throws(FieldFailure) in
                try list.check(elements)
                var seen: Set<[UInt8]> = []
                for (index, element) in elements.enumerated() where !seen.insert(Array(text(element).utf8)).inserted {
                    throw FieldFailure("is in this job already").at(name).at(.index(index))
                }
            }, audited: list.audited)
    }
}
