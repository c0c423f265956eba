/// What a metric costs: so much is included, and what goes beyond is paid for in tiers.
///
/// Exact: thousandths of the currency's smallest unit in 128 bits, rounded once, half up.
public struct Tariff: Sendable, Equatable {
    public enum Mode: String, Sendable, CaseIterable {
        /// Each part of the overage at its own tier's price.
        case graduated
        /// The whole overage at the price of the tier in which it ends: a discount for volume.
        case volume
    }

    public struct Tier: Sendable, Equatable {
        /// The last unit of the overage that is in this tier; nil in the last tier, which has no end.
        public var upTo: Int64?
        /// For 1,000 units, in the currency's smallest unit.
        public var perThousand: Int64

        public init(upTo: Int64?, perThousand: Int64) {
            self.upTo = upTo
            self.perThousand = perThousand
        }
    }

    /// An amount that no 64-bit integer holds.
    public struct Overflow: Error {
        public init() {}
    }

    /// Units of a period that cost nothing beyond the base price.
    public var included: Int64
    public var mode: Mode
    /// Ascending; the last one has no end.
    public var tiers: [Tier]

    public init(included: Int64 = 0, mode: Mode = .graduated, tiers: [Tier]) {
        self.included = included
        self.mode = mode
        self.tiers = tiers
    }

    /// What `quantity` units of one period cost.
    public func amount(_ quantity: Int64) throws(Overflow) -> Int64 {
        let rounded = (thousandths(max(0, quantity)) + 500) / 1_000
        guard let amount = Int64(exactly: rounded) else { throw Overflow() }
        return amount
    }

    /// At most 2^63 units at less than 2^63 each, however many tiers there are.
    private func thousandths(_ quantity: Int64) -> Int128 {
        guard quantity > included else { return 0 }
        let overage = quantity - max(0, included)
        switch mode {
        case .graduated:
            var floor: Int64 = 0
            var sum: Int128 = 0
            for tier in tiers where floor < overage {
                let top = max(floor, min(overage, tier.upTo ?? .max))
                sum += Int128(top - floor) * Int128(tier.perThousand)
                floor = top
            }
            return sum
        case .volume:
            guard let tier = tiers.first(where: { overage <= $0.upTo ?? .max }) else { return 0 }
            return Int128(overage) * Int128(tier.perThousand)
        }
    }
}
