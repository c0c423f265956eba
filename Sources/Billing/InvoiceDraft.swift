internal import Contract
internal import Metering

/// An invoice as it is about to be written.
struct InvoiceDraft: Sendable, Equatable {
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
    var currency: Currency
    var lines: [Line] = []
    var notes: [String] = []

    /// What an invoice says the amounts of; nil: all of it.
    static let amounts: [LineKind?] = [.base, .usage, .adjustment, nil]

    /// - Throws: `Tariff.Overflow` where the sum is beyond all bounds.
    func amount(_ kind: LineKind? = nil) throws(Tariff.Overflow) -> Int64 {
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

extension Metric {
    /// For people, as it stands in a line's description.
    var title: String {
        switch self {
        case .messages: "Messages"
        case .conversations: "Conversations"
        case .activeUsers: "Active users"
        case .tokens: "Tokens"
        case .childTenants: "Child tenants"
        case .documents: "Documents"
        case .corpusBytes: "Corpus bytes"
        }
    }
}
