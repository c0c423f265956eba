internal import AMQP
internal import Contract

extension Properties {
    /// Bytes of a header that is kept. All of ours fit, and a credential with room to spare.
    private static let mostHeaderBytes = 4_096

    /// The same, cut down to what AMQP can always carry: texts that are too long (what is not UTF-8 grows when it is repaired) end
    /// early, and of the headers only those that the contract knows are kept.
    func reduced() -> Properties {
        var properties = self
        for text: WritableKeyPath<Properties, String?> in [
            \.contentType, \.contentEncoding, \.correlationID, \.replyTo, \.expiration, \.messageID, \.type, \.userID, \.appID,
        ] {
            properties[keyPath: text] = self[keyPath: text]?.clipped(bytes: 255)
        }
        let known = Set(([Header.tenant, Header.authorization, Header.traceparent] + Header.added).map(\.name))
        // A name may stand more than once on the wire; the first counts, as it does in a look-up.
        var seen: Set<String> = []
        properties.headers = FieldTable(
            headers.entries.compactMap { name, value in
                guard known.contains(name), seen.insert(name).inserted else { return nil }
                switch value {
                case .text(let text): return (name, .text(text.clipped(bytes: Self.mostHeaderBytes)))
                case .int, .number, .bool, .double, .timestamp, .null: return (name, value)
                case .rawText, .bytes, .array, .table, .unread: return nil
                }
            })
        return properties
    }
}

extension Delivery {
    /// A job's properties as we may send them on: the broker takes no other user's `user_id`, and a dead letter must not expire.
    var republishableProperties: Properties {
        var properties = properties
        if propertyBytes > Bounds.retriedHeaderBytes { properties = properties.reduced() }
        properties.userID = nil
        properties.expiration = nil
        return properties
    }
}

extension String {
    /// As many whole characters (Unicode scalars) from the start as fit.
    func clipped(bytes most: Int) -> String {
        guard utf8.count > most else { return self }
        var left = most
        let scalars = unicodeScalars.prefix { scalar in
            left -= UTF8.width(scalar)
            return left >= 0
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
