internal import Contract
internal import Metering
internal import Testing

@Suite("What a metric costs") struct TariffTests {
    /// 1,000 included; then 2.00 a thousand up to 1,000 more, 1.50 up to 5,000 more, 1.00 beyond.
    static let tiers = [
        Tariff.Tier(upTo: 1_000, perThousand: 200), Tariff.Tier(upTo: 5_000, perThousand: 150),
        Tariff.Tier(upTo: nil, perThousand: 100),
    ]
    static let graduated = Tariff(included: 1_000, mode: .graduated, tiers: tiers)
    static let volume = Tariff(included: 1_000, mode: .volume, tiers: tiers)

    @Test(
        "each part of the overage at its own tier's price, rounded once, half up",
        arguments: [
            (0, 0), (1, 0), (999, 0), (1_000, 0),
            // 0.2, 0.4, 0.6 of a cent.
            (1_001, 0), (1_002, 0), (1_003, 1),
            (1_500, 100),
            // The first tier's end: 999 × 0.2 = 199.8; 200; 200 + 0.15; 200 + 0.45; 200 + 0.6.
            (1_999, 200), (2_000, 200), (2_001, 200), (2_003, 200), (2_004, 201),
            // The second's: 200 + 3,999 × 0.15 = 799.85; 800; 800.1; 800.5.
            (5_999, 800), (6_000, 800), (6_001, 800), (6_005, 801),
            (1_000_000, 200 + 600 + 99_400),
        ] as [(Int64, Int64)])
    func graduated(_ quantity: Int64, _ amount: Int64) throws {
        #expect(try Self.graduated.amount(quantity) == amount)
    }

    @Test(
        "the whole overage at the price of the tier in which it ends",
        arguments: [
            (0, 0), (1_000, 0), (1_001, 0), (1_003, 1), (1_999, 200), (2_000, 200),
            // One more, and all 1,001 are in the second tier: 150.15.
            (2_001, 150), (2_011, 152),
            // 5,000 × 0.15 = 750, and 5,001 × 0.1 = 500.1.
            (6_000, 750), (6_001, 500), (6_005, 501),
        ] as [(Int64, Int64)])
    func volume(_ quantity: Int64, _ amount: Int64) throws {
        #expect(try Self.volume.amount(quantity) == amount)
    }

    @Test("a half of the smallest unit is rounded up")
    func halves() throws {
        let tariff = Tariff(tiers: [Tariff.Tier(upTo: nil, perThousand: 1)])
        for (quantity, amount) in [(499, 0), (500, 1), (1_499, 1), (1_500, 2)] as [(Int64, Int64)] {
            #expect(try tariff.amount(quantity) == amount)
        }
    }

    @Test("numbers that no invoice has are exact as long as they fit, and an error where they don't; never a trap")
    func huge() throws {
        let cheap = Tariff(tiers: [Tariff.Tier(upTo: nil, perThousand: 1_000)])
        #expect(try cheap.amount(.max) == .max)
        #expect(try Tariff(tiers: [Tariff.Tier(upTo: nil, perThousand: 1)]).amount(.max) == 9_223_372_036_854_776)
        #expect(throws: Tariff.Overflow.self) { try Tariff(tiers: [Tariff.Tier(upTo: nil, perThousand: 1_001)]).amount(.max) }
        for mode in Tariff.Mode.allCases {
            let dear = Tariff(mode: mode, tiers: [.init(upTo: 1, perThousand: .max), .init(upTo: nil, perThousand: .max)])
            #expect(throws: Tariff.Overflow.self) { try dear.amount(.max) }
            #expect(try dear.amount(1) == 9_223_372_036_854_776)
        }
        #expect(try Tariff(included: .max, tiers: [.init(upTo: nil, perThousand: 5)]).amount(.max) == 0)
    }

    @Test("a price is the same when it comes back from JSON")
    func roundTrip() throws {
        let price = Price(
            currency: try #require(Currency("CHF")), base: 4_900,
            tariffs: [
                .messages: Self.graduated, .tokens: Tariff(included: 5, mode: .volume, tiers: [.init(upTo: nil, perThousand: 0)]),
            ])
        #expect(Price(price.json) == price)
        #expect(try Price.stored(String(decoding: price.json.serialised(), as: UTF8.self)) == price)
        #expect(try Price.stored(nil) == nil)
        #expect(throws: Price.Unreadable.self) { try Price.stored(#"{"currency":"CHF"}"#) }
    }

    @Test(
        "amounts are written with the currency's own digits",
        arguments: [
            ("EUR", 123_450, "1234.50 EUR"), ("EUR", 5, "0.05 EUR"), ("EUR", -5, "-0.05 EUR"), ("EUR", -12_345, "-123.45 EUR"),
            ("JPY", 123_450, "123450 JPY"), ("KWD", 1_234, "1.234 KWD"), ("CLF", 7, "0.0007 CLF"),
            ("USD", .min, "-92233720368547758.08 USD"),
        ] as [(String, Int64, String)])
    func formatted(_ code: String, _ amount: Int64, _ text: String) throws {
        #expect(try #require(Currency(code)).format(amount) == text)
    }

    @Test(
        "a code that ISO 4217 does not have is no currency", arguments: ["", "eur", "EURO", "ABC", Currency.unpriced.code, "DEM"])
    func unknown(_ code: String) {
        #expect(Currency(code) == nil)
    }
}
