internal import Contract
public import Jobs
public import Postgres

extension InvoiceDetails {
    /// The row's columns; amounts are in the currency's smallest unit.
    public static let representation = Representation<InvoiceDetails> {
        Member.text("id", \.id)
        Member.text("account", \.account)
        Member.text("tenant", \.tenant)
        Member.text("period", \.period)
        Member.instant("period_start", \.periodStart)
        Member.instant("period_end", \.periodEnd)
        Member.text("bill_to", \.billTo)
        Member.text("email", \.email)
        Member.text("plan", \.plan)
        Member.object("terms", \.terms)
        Member.boolean("has_own_volume", \.hasOwnVolume)
        Member.text("currency", \.currencyCode)
        Member.number("base_amount", \.baseAmount)
        Member.number("usage_amount", \.usageAmount)
        Member.number("adjustment_amount", \.adjustmentAmount)
        Member.number("total", \.total)
        Member.text("note", \.note)
        Member.text("stripe_account", \.stripeAccount)
        Member.word("delivery", among: ["none", "pending", "sent", "failed"], \.delivery)
        Member.text("stripe_invoice", \.stripeInvoice)
        Member.number("attempts", \.attempts)
        Member.text("last_error", \.lastError)
        Member.instant("sent_at", \.sentAt)
        Member.instant("created_at", \.createdAt)
    }

    private typealias Member = Representation<InvoiceDetails>.Member

    public var position: [String] { [createdAt.rfc3339, id] }

    /// A page of the invoices, the newest first. A filter that is nil lets everything pass.
    ///
    /// - Parameters:
    ///   - tenant: only those for this tenant.
    ///   - period: only of the periods that start in this month, `YYYY-MM`.
    ///   - position: of the last row of the page before; nil: from the start.
    public static func page(
        account: String? = nil, tenant: String? = nil, period: String? = nil, after position: [String]?, limit: Int,
        on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> [InvoiceDetails] {
        let start = PageStart(after: position)
        return try database.query(SQL.page, account, tenant, period, start.time(0), start.text(1), limit)
            .decode(InvoiceDetails.init)
    }
}

extension InvoiceDetails.Line {
    public static let representation = Representation<InvoiceDetails.Line> {
        Member.number("position", \.position)
        Member.word("kind", among: ["base", "usage", "adjustment"], \.kind)
        Member.text("tenant", \.tenant)
        Member.text("metric", \.metric)
        Member.text("period", \.period)
        Member.number("quantity", \.quantity)
        Member.number("amount", \.amount)
        Member.text("description", \.description)
    }

    private typealias Member = Representation<InvoiceDetails.Line>.Member
}

/// An invoice with its lines.
public struct Invoice: Sendable {
    public let details: InvoiceDetails
    /// In their order.
    public let lines: [InvoiceDetails.Line]

    public static let representation = Representation<Invoice>(
        of: Representation.members(of: InvoiceDetails.representation, at: \.details)
            + [.list("lines", of: InvoiceDetails.Line.representation, \.lines)])

    /// One invoice; nil if there is none of this id.
    public static func find(
        _ id: String, on database: inout some Queryable & ~Copyable
    ) throws(PostgresError) -> Invoice? {
        guard let details = try InvoiceDetails.find(id, on: &database) else { return nil }
        return Invoice(details: details, lines: try details.lines(on: &database))
    }
}

extension InvoiceDetails.SQL {
    /// `$1` account, `$2` tenant, `$3` period, `$4`, `$5` the place before, `$6` the most rows.
    static let page = Statement(
        """
        select \(columns) from tenantry.invoices
        where (created_at, id) < ($4, $5) and ($1::text is null or account = $1) and ($2::text is null or tenant = $2)
          and ($3::text is null or period = $3)
        order by created_at desc, id desc limit $6
        """)
}
