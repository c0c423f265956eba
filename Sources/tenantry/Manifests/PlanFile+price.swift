internal import Contract
internal import Metering
internal import Yams

/// A plan's price: every amount a whole number of the currency's smallest unit, and tiers that leave no unit without a price.
extension PlanFile {
    static func price(_ place: YAMLPlace) throws -> Price? {
        if place.isNull { return nil }
        let fields = try place.fields("currency", "base", "metrics")
        guard let currency = fields["currency"] else { throw place.failure("currency is missing: a code such as EUR") }
        guard let known = Currency(try currency.text()) else {
            throw currency.failure("must be a currency's code of ISO 4217, such as EUR")
        }
        guard let base = fields["base"] else { throw place.failure("base is missing: what each period costs, or 0") }
        return Price(
            currency: known, base: try amount(base), tariffs: try fields["metrics"].map { try tariffs($0) } ?? [:])
    }

    private static func tariffs(_ place: YAMLPlace) throws -> [Metric: Tariff] {
        if place.isNull { return [:] }
        var tariffs: [Metric: Tariff] = [:]
        for (key, place) in try place.entries() {
            guard let metric = Metric(rawValue: key), Price.metrics.contains(metric) else {
                let known = Price.metrics.map(\.rawValue).joined(separator: ", ")
                throw place.failure("there is no such metric that could have a price; there are \(known)")
            }
            tariffs[metric] = try tariff(place)
        }
        return tariffs
    }

    private static func tariff(_ place: YAMLPlace) throws -> Tariff {
        let fields = try place.fields("included", "mode", "tiers")
        var tariff = Tariff(tiers: [])
        if let included = fields["included"] { tariff.included = try amount(included) }
        if let mode = fields["mode"] {
            guard let known = Tariff.Mode(rawValue: try mode.text()) else { throw mode.failure("must be graduated or volume") }
            tariff.mode = known
        }
        guard let tiers = fields["tiers"] else {
            throw place.failure("tiers is missing: what is beyond the included units costs")
        }
        let items = try tiers.items()
        guard !items.isEmpty else { throw tiers.failure("must have at least one tier") }
        var floor: Int64 = 0
        for (index, item) in items.enumerated() {
            let tier = try tier(item, isLast: index == items.count - 1, above: floor)
            tariff.tiers.append(tier)
            floor = tier.upTo ?? floor
        }
        return tariff
    }

    private static func tier(_ place: YAMLPlace, isLast: Bool, above floor: Int64) throws -> Tariff.Tier {
        let fields = try place.fields("up_to", "per_thousand")
        guard let upTo = fields["up_to"] else {
            throw place.failure("up_to is missing: a whole number, or null in the last tier")
        }
        guard let price = fields["per_thousand"] else { throw place.failure("per_thousand is missing: what 1,000 units cost") }
        guard !isLast else {
            guard upTo.isNull else { throw upTo.failure("must be null in the last tier, which has no end") }
            return Tariff.Tier(upTo: nil, perThousand: try amount(price))
        }
        guard !upTo.isNull else { throw upTo.failure("may be null in the last tier alone") }
        let end = try upTo.wholeNumber()
        guard end > floor else { throw upTo.failure("must be more than \(floor), where the tier begins") }
        return Tariff.Tier(upTo: end, perThousand: try amount(price))
    }

    private static func amount(_ place: YAMLPlace) throws -> Int64 {
        let amount = try place.wholeNumber()
        guard amount >= 0 else { throw place.failure("must be 0 or more") }
        return amount
    }
}
