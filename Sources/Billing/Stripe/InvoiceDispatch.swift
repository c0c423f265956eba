internal import Contract
internal import Metering
internal import Postgres

/// An invoice on its way to Stripe, and how far it has come. A pure value: what the next request is follows from what Stripe has named so far,
/// so a dispatch that was cut off goes on with the very request that it was cut off in.
///
/// A draft is made first and each line put onto it by name: lines that wait for the customer's next invoice could be swept up by another one.
struct InvoiceDispatch: Sendable {
    struct Line: Sendable {
        let position: Int64
        let amount: Int64
        let description: String
        let start: Timestamp
        let end: Timestamp
        /// What Stripe calls it; nil while it has none.
        var item: String?
    }

    let id: String
    let account: String
    let tenant: String
    var stripeAccount: String
    let period: String
    let billTo: String
    let email: String?
    let currency: Currency
    let total: Int64
    let daysUntilDue: Int64
    /// Part of the idempotency keys: when it was made, and how often it was started over.
    let createdAt: Timestamp
    let round: Int64
    /// How often it was taken in hand since something of it last succeeded.
    var attempts: Int64
    var customer: String?
    var invoice: String?
    /// What an earlier round made at Stripe. It may have been made final since, and then there must be no other.
    var earlier: Earlier?
    var lines: [Line]

    struct Earlier: Sendable {
        let invoice: String
        let stripeAccount: String

        var inspection: StripeRequest { InvoiceDispatch.inspection(of: invoice) }
    }

    enum Step: Sendable {
        case earlier(Earlier)
        case customer
        case draft
        case line(Int)
        /// Held against our own figures, then made final.
        case finalize
    }

    var nextStep: Step {
        if invoice == nil, let earlier { return .earlier(earlier) }
        guard customer != nil else { return .customer }
        guard invoice != nil else { return .draft }
        if let index = lines.firstIndex(where: { $0.item == nil && $0.amount != 0 }) { return .line(index) }
        return .finalize
    }

    /// The step's request. Source: [Stripe API reference](https://docs.stripe.com/api/invoices/create).
    func request(_ step: Step) -> StripeRequest {
        switch step {
        case .earlier(let earlier): return earlier.inspection
        case .customer:
            var form = [("name", billTo), ("metadata[tenantry_account]", account), ("metadata[tenantry_tenant]", tenant)]
            if let email { form.append(("email", email)) }
            return post("/v1/customers", form, key: "customer")
        case .draft:
            return post(
                "/v1/invoices",
                [
                    ("customer", customer ?? ""), ("collection_method", "send_invoice"), ("days_until_due", "\(daysUntilDue)"),
                    ("currency", currency.code.lowercased()), ("auto_advance", "false"),
                    ("pending_invoice_items_behavior", "exclude"), ("description", "\(billTo), \(period)"),
                    ("metadata[tenantry_invoice]", id),
                ], key: "draft")
        case .line(let index):
            let line = lines[index]
            return post(
                "/v1/invoiceitems",
                [
                    ("customer", customer ?? ""), ("invoice", invoice ?? ""), ("amount", "\(stripeAmount(line.amount))"),
                    ("currency", currency.code.lowercased()), ("description", line.description),
                    ("period[start]", "\(line.start.microsecondsSince1970 / 1_000_000)"),
                    // Stripe's periods include their end.
                    ("period[end]", "\(line.end.microsecondsSince1970 / 1_000_000 - 1)"),
                ], key: "line-\(line.position)")
        case .finalize:
            return post("/v1/invoices/\(invoice ?? "")/finalize", [("auto_advance", "true")], key: "finalize")
        }
    }

    /// Asks how the draft stands.
    var inspection: StripeRequest { Self.inspection(of: invoice ?? "") }

    private static func inspection(of invoice: String) -> StripeRequest {
        StripeRequest(method: .get, path: "/v1/invoices/\(invoice)", form: [], idempotencyKey: nil)
    }

    /// Whether the earlier invoice is out, as it stands at Stripe: no draft, and not withdrawn.
    ///
    /// - Throws: `StripeFailure` where it is out and says something else than ours.
    func isOut(_ earlier: Earlier, _ answer: JSONValue) throws(StripeFailure) -> Bool {
        guard case .string(let status)? = answer["status"] else { throw .passing("Stripe's answer has no status") }
        if status == "draft" || status == "void" { return false }
        guard answer["subtotal"] == .int(stripeAmount(total)) else {
            throw .lasting(
                "Stripe's invoice \(earlier.invoice) is \(status) and does not come to \(stripeAmount(total)): void it there")
        }
        return true
    }

    /// Why Stripe's invoice must not be made final, or be taken for ours; nil where it says what ours says.
    func mismatch(_ draft: JSONValue) -> String? {
        if draft["status"] == "void" || draft["status"] == "uncollectible" {
            return "Stripe's invoice \(invoice ?? "") was withdrawn there"
        }
        guard case .int(let subtotal)? = draft["subtotal"] else { return "Stripe's draft has no subtotal" }
        guard subtotal == stripeAmount(total) else {
            return "Stripe's draft \(invoice ?? "") comes to \(subtotal), not to \(stripeAmount(total)): delete it there"
        }
        return nil
    }

    /// The same for each attempt at a step, so that Stripe does it once however often it is asked.
    /// Source: [Idempotent requests](https://docs.stripe.com/api/idempotent_requests).
    private func post(_ path: String, _ form: [(String, String)], key: String) -> StripeRequest {
        StripeRequest(
            method: .post, path: path, form: form,
            idempotencyKey: "tenantry-\(id)-\(createdAt.microsecondsSince1970)-\(round)-\(key)")
    }

    private func stripeAmount(_ amount: Int64) -> Int64 {
        Self.hundredfold.contains(currency.code) ? amount.multipliedReportingOverflow(by: 100).partialValue : amount
    }

    /// Stripe keeps two digits for these, which ISO 4217 has without any.
    /// Source: [Stripe: special cases](https://docs.stripe.com/currencies#special-cases).
    private static let hundredfold: Set = ["ISK", "UGX"]
    /// Stripe takes it without digits, ISO 4217 with two.
    private static let unsendable: Set = ["MGA"]

    /// What of an invoice's amounts keeps it from being sent; nil where nothing does.
    static func obstacle(comesToNothing: Bool, _ currency: Currency) -> String? {
        if comesToNothing { return "it comes to 0" }
        if unsendable.contains(currency.code) { return "Stripe counts \(currency.code) in other units" }
        return nil
    }
}

extension InvoiceDispatch {
    static let notGranted = "the tenant's stripe_account is not granted to its account (tenantry account grant-stripe)"

    /// Whether a new invoice is to be sent, and if not, why.
    struct Start {
        /// For the column `delivery`.
        let word: String
        let note: String?

        init(_ invoice: NewInvoice, sendsInvoices: Bool) {
            note = Self.obstacle(invoice, sendsInvoices).map { "not sent: \($0)" }
            word = note == nil ? "pending" : "none"
        }

        private static func obstacle(_ invoice: NewInvoice, _ sendsInvoices: Bool) -> String? {
            guard invoice.tenant != nil else { return "only tenants that are billed separately are invoiced through Stripe" }
            guard invoice.stripeAccount != nil else { return "the tenant has no stripe_account" }
            guard invoice.isGranted else { return InvoiceDispatch.notGranted }
            let comesToNothing = invoice.lines.allSatisfy { $0.amount == 0 }
            if let obstacle = InvoiceDispatch.obstacle(comesToNothing: comesToNothing, invoice.currency) { return obstacle }
            guard sendsInvoices else { return "there is no Stripe key (TENANTRY_STRIPE_KEY)" }
            return nil
        }
    }
}
