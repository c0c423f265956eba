/// What money is counted in: a code of ISO 4217, and how many digits stand behind its point. Amounts are whole numbers of its smallest
/// unit. Source: [ISO 4217, list one](https://www.six-group.com/en/products-services/financial-information/data-standards.html).
public struct Currency: Sendable, Hashable {
    /// Three capital letters.
    public let code: String

    /// ISO 4217's own code for where no currency is involved: what has no price.
    public static let unpriced = Currency(stored: String(repeating: "X", count: 3))

    /// - Returns: nil where ISO 4217 knows no such currency.
    public init?(_ code: String) {
        guard Self.codes.contains(code) else { return nil }
        self.code = code
    }

    /// From what was stored, which was checked when it was.
    public init(stored code: String) {
        self.code = code
    }

    /// Digits behind the point: 2 for most, 0 for the yen.
    public var digits: Int {
        if Self.withoutDigits.contains(code) || self == .unpriced { return 0 }
        if Self.withThreeDigits.contains(code) { return 3 }
        return Self.withFourDigits.contains(code) ? 4 : 2
    }

    /// `1234.50 EUR`
    public func format(_ amount: Int64) -> String {
        "\(decimal(amount)) \(code)"
    }

    /// `1234.50`
    public func decimal(_ amount: Int64) -> String {
        let figures = String(amount.magnitude)
        let sign = amount < 0 ? "-" : ""
        guard digits > 0 else { return sign + figures }
        let padded = String(repeating: "0", count: max(0, digits + 1 - figures.count)) + figures
        return "\(sign)\(padded.dropLast(digits)).\(padded.suffix(digits))"
    }

    private static let withoutDigits: Set = set("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
    private static let withThreeDigits: Set = set("BHD IQD JOD KWD LYD OMR TND")
    private static let withFourDigits: Set = set("CLF UYW")
    private static let codes = set(
        """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLF CLP CNY COP CRC CUP \
        CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD \
        JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN \
        NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL \
        THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
        """)

    private static func set(_ codes: String) -> Set<String> {
        Set(codes.split(separator: " ").map { String($0) })
    }
}
