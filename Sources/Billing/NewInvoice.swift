internal import Contract
internal import Metering

/// An invoice as it is about to be written.
struct NewInvoice: Sendable, Equatable {
    enum LineKind: String, Sendable {
        case base, usage, adjustment
    }

    struct Line: Sendable, Equatable {
        var kind: LineKind
        var tenant: String?
        var metric: Metric?
        var period: InvoicePeriod
        var quantity: Int64
        var amount: Int64
        var isOwnVolume: Bool
        var description: String
    }

    let id: String
    /// nil: the account's own.
    let tenant: String?
    var billTo: String
    var email: String?
    var plan: String
    var price: Price?
    var hasOwnVolume: Bool
    var stripeAccount: String?
    /// Whether that is granted to the account.
    var isGranted = false
    var currency: Currency
    var lines: [Line] = []
    var notes: [String] = []

    /// What its lines sum up to, by their kind and in all.
    struct Amounts: Sendable, Equatable {
        let base: Int64
        let usage: Int64
        let adjustment: Int64
        let total: Int64
    }

    /// - Throws: `Tariff.Overflow` where a sum is more than an invoice can hold.
    func amounts() throws(Tariff.Overflow) -> Amounts {
        Amounts(
            base: try sum(of: .base), usage: try sum(of: .usage), adjustment: try sum(of: .adjustment), total: try sum(of: nil))
    }

    private func sum(of kind: LineKind?) throws(Tariff.Overflow) -> Int64 {
        var sum: Int64 = 0
        for line in lines where kind == nil || line.kind == kind {
            let (next, overflow) = sum.addingReportingOverflow(line.amount)
            guard !overflow else { throw Tariff.Overflow() }
            sum = next
        }
        return sum
    }

    /// Slugs have no dots, so that no two invoices share an id, although an account and a tenant may share a slug.
    static func id(account: String, tenant: String?, period: String) -> String {
        [account, tenant, period].compactMap { $0 }.joined(separator: ".")
    }
}
