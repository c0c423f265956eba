public import Contract

/// What a plan costs a period. In the database, and with each invoice that was made by it, as JSON of the same shape as in `plans.yaml`.
public struct Price: Sendable, Equatable {
    public var currency: Currency
    /// For each period, whatever is used; in the currency's smallest unit, as are all amounts.
    public var base: Int64
    /// A metric that is not named costs nothing.
    public var tariffs: [Metric: Tariff]

    public init(currency: Currency, base: Int64, tariffs: [Metric: Tariff] = [:]) {
        self.currency = currency
        self.base = base
        self.tariffs = tariffs
    }

    /// What is counted in a period can be priced; a level that carries over cannot.
    public static let metrics = Metric.flows

    /// What `quantity` of a metric costs in one period.
    public func amount(_ metric: Metric, _ quantity: Int64) throws(Tariff.Overflow) -> Int64 {
        guard let tariff = tariffs[metric] else { return 0 }
        return try tariff.amount(quantity)
    }
}

extension Price {
    public var json: JSONValue {
        let metrics = tariffs.map { ($0.key.rawValue, $0.value.json) }
        return [
            "currency": .string(currency.code), "base": .int(base),
            "metrics": .object(Dictionary(uniqueKeysWithValues: metrics)),
        ]
    }

    /// - Returns: nil where this is no price.
    public init?(_ json: JSONValue) {
        guard case .string(let currency)? = json["currency"], case .int(let base)? = json["base"],
            case .object(let metrics)? = json["metrics"]
        else { return nil }
        self.init(currency: Currency(stored: currency), base: base)
        for (name, value) in metrics {
            guard let metric = Metric(rawValue: name), let tariff = Tariff(value) else { return nil }
            tariffs[metric] = tariff
        }
    }

    /// From the column that holds it; nil where that is null.
    public static func stored(_ text: String?) throws -> Price? {
        guard let text else { return nil }
        guard let price = Price(try JSONValue(parsing: Array(text.utf8))) else { throw Unreadable() }
        return price
    }

    /// Somebody wrote a price into the database that is none.
    public struct Unreadable: Error, CustomStringConvertible {
        public var description: String { "a price in the database cannot be read: run `tenantry plans apply`" }
    }
}

extension Tariff {
    var json: JSONValue {
        [
            "included": .int(included), "mode": .string(mode.rawValue),
            "tiers": .array(tiers.map { ["up_to": $0.upTo.map { .int($0) } ?? .null, "per_thousand": .int($0.perThousand)] }),
        ]
    }

    init?(_ json: JSONValue) {
        guard case .int(let included)? = json["included"], case .string(let word)? = json["mode"],
            let mode = Mode(rawValue: word),
            case .array(let list)? = json["tiers"]
        else { return nil }
        self.init(included: included, mode: mode, tiers: [])
        for tier in list {
            guard case .int(let perThousand)? = tier["per_thousand"] else { return nil }
            switch tier["up_to"] {
            case .int(let upTo): tiers.append(Tier(upTo: upTo, perThousand: perThousand))
            case .null, nil: tiers.append(Tier(upTo: nil, perThousand: perThousand))
            default: return nil
            }
        }
    }
}
