internal import Contract
internal import Metering

/// The invoices of one account's period, worked out from what was used: no I/O, so that figures can be held against hand-computed ones.
///
/// What an account's tenants use is priced together, by its plan, and dealt out to them in proportion. A tenant that is billed separately
/// gets its part on an invoice of its own; if it has a plan of its own, too, it is priced by that, alone.
struct Invoicing {
    private let account: BilledAccount
    private let tenants: [String: BilledTenant]
    private let earlier: [String: InvoicedPeriod]
    private var invoices: [String?: NewInvoice] = [:]

    /// - Parameters:
    ///   - tenants: all that are billed separately, and all that used something.
    ///   - differences: by period, tenant and metric, as ``UsageDifferences`` gives them.
    ///   - earlier: the terms of every other period among the differences.
    /// - Returns: the account's invoice, then its tenants' by slug.
    static func invoices(
        of account: BilledAccount, tenants: [BilledTenant], differences: [UsageDifference], earlier: [String: InvoicedPeriod]
    ) throws(Tariff.Overflow) -> [NewInvoice] {
        var work = Invoicing(account: account, tenants: tenants, earlier: earlier)
        work.openInvoices(tenants)
        let present = differences.filter { $0.period.name == account.period.name }
        for metric in Price.metrics { try work.addUsage(present.filter { $0.metric == metric }) }
        for (tenant, invoice) in work.invoices { work.invoices[tenant] = invoice.inOrder() }
        try work.addAdjustments(differences.filter { $0.period.name != account.period.name })
        return work.invoices.values.filter { !$0.lines.isEmpty || $0.tenant == nil }.sorted {
            ($0.tenant ?? "") < ($1.tenant ?? "")
        }
    }

    private init(account: BilledAccount, tenants: [BilledTenant], earlier: [String: InvoicedPeriod]) {
        self.account = account
        self.tenants = Dictionary(uniqueKeysWithValues: tenants.map { ($0.slug, $0) })
        self.earlier = earlier
    }

    // MARK: Base prices

    private mutating func openInvoices(_ tenants: [BilledTenant]) {
        var own = invoice(
            for: nil, billTo: account.displayName, plan: account.plan, price: account.price, hasOwnVolume: false)
        own.lines.append(base(own, account.price))
        invoices[nil] = own
        for tenant in tenants where tenant.isSeparate {
            var invoice = invoice(
                for: tenant.slug, billTo: tenant.displayName, plan: tenant.plan ?? account.plan,
                price: tenant.hasOwnVolume ? tenant.price : account.price, hasOwnVolume: tenant.hasOwnVolume)
            invoice.email = tenant.email
            invoice.stripeAccount = tenant.stripeAccount
            invoice.isGranted = tenant.isGranted
            if tenant.hasOwnVolume, tenant.existed { invoice.lines.append(base(invoice, tenant.price)) }
            invoices[tenant.slug] = invoice
        }
    }

    private func invoice(for tenant: String?, billTo: String, plan: String, price: Price?, hasOwnVolume: Bool) -> NewInvoice {
        var invoice = NewInvoice(
            id: NewInvoice.id(account: account.slug, tenant: tenant, period: account.period.name), tenant: tenant, billTo: billTo,
            plan: plan, price: price, hasOwnVolume: hasOwnVolume, currency: price?.currency ?? .unpriced)
        if price == nil { invoice.notes.append("plan \(plan) has no price") }
        return invoice
    }

    private func base(_ invoice: NewInvoice, _ price: Price?) -> NewInvoice.Line {
        NewInvoice.Line(
            kind: .base, tenant: invoice.tenant, metric: nil, period: account.period, quantity: 1, amount: price?.base ?? 0,
            isOwnVolume: invoice.hasOwnVolume, description: "\(invoice.plan), \(account.period.name)")
    }

    // MARK: Usage

    /// One metric's.
    private mutating func addUsage(_ differences: [UsageDifference]) throws(Tariff.Overflow) {
        let pooled = differences.filter { tenants[$0.tenant]?.hasOwnVolume != true }
        if let first = pooled.first {
            var volume: Int64 = 0
            for difference in pooled { volume = try Self.sum(volume, difference.used) }
            let amount = try account.price?.amount(first.metric, volume) ?? 0
            for (difference, part) in zip(pooled, Allotment.parts(of: amount, by: pooled.map(\.used))) {
                add(difference, amount: part)
            }
        }
        for difference in differences {
            guard let tenant = tenants[difference.tenant], tenant.hasOwnVolume else { continue }
            add(difference, amount: try tenant.price?.amount(difference.metric, difference.used) ?? 0)
        }
    }

    private mutating func add(_ difference: UsageDifference, amount: Int64) {
        let tenant = tenants[difference.tenant]
        let host: String? = tenant?.isSeparate == true ? difference.tenant : nil
        invoices[host]?.lines.append(
            NewInvoice.Line(
                kind: .usage, tenant: difference.tenant, metric: difference.metric, period: account.period,
                quantity: difference.used, amount: amount, isOwnVolume: tenant?.hasOwnVolume ?? false,
                description: "\(difference.metric.title) of \(difference.tenant)"))
    }

    // MARK: Adjustments

    /// What earlier periods were more or less than their invoices say, at the prices that these were made by. Volume that is priced together
    /// is taken in the order of the slugs, each difference at what it changes of the whole amount, so that all invoices of a period sum to
    /// the price of all that was used in it.
    private mutating func addAdjustments(_ differences: [UsageDifference]) throws(Tariff.Overflow) {
        var pools = earlier.mapValues(\.pool)
        for difference in differences {
            guard let terms = earlier[difference.period.name] else { continue }
            let own = terms.ownPrices[difference.tenant]
            guard let price = own ?? terms.price else {
                adjust(difference, amount: 0, isOwnVolume: own != nil)
                continue
            }
            let host = host(of: difference)
            guard takes(price.currency, invoice: host) else {
                let waiting = "an adjustment of \(difference.period.name) waits for an invoice in \(price.currency.code)"
                if invoices[host]?.notes.contains(waiting) == false { invoices[host]?.notes.append(waiting) }
                continue
            }
            var (before, after) = (difference.invoiced, difference.used)
            if own == nil {
                before = pools[difference.period.name]?[difference.metric] ?? 0
                after = try Self.sum(before, difference.used - difference.invoiced)
                pools[difference.period.name]?[difference.metric] = after
            }
            let amount = try price.amount(difference.metric, after) - price.amount(difference.metric, before)
            adjust(difference, amount: amount, isOwnVolume: own != nil)
        }
    }

    private func host(of difference: UsageDifference) -> String? {
        tenants[difference.tenant]?.isSeparate == true ? difference.tenant : nil
    }

    /// Amounts in two currencies cannot be summed. An invoice without a price has no currency yet.
    private mutating func takes(_ currency: Currency, invoice host: String?) -> Bool {
        if invoices[host]?.currency == .unpriced { invoices[host]?.currency = currency }
        return invoices[host]?.currency == currency
    }

    private mutating func adjust(_ difference: UsageDifference, amount: Int64, isOwnVolume: Bool) {
        invoices[host(of: difference)]?.lines.append(
            NewInvoice.Line(
                kind: .adjustment, tenant: difference.tenant, metric: difference.metric, period: difference.period,
                quantity: difference.used - difference.invoiced, amount: amount, isOwnVolume: isOwnVolume,
                description: "\(difference.metric.title) of \(difference.tenant) in \(difference.period.name), adjusted"))
    }

    private static func sum(_ left: Int64, _ right: Int64) throws(Tariff.Overflow) -> Int64 {
        let (sum, overflow) = left.addingReportingOverflow(right)
        guard !overflow else { throw Tariff.Overflow() }
        return sum
    }
}

extension NewInvoice {
    /// The base price, then usage by tenant and metric.
    fileprivate func inOrder() -> NewInvoice {
        var ordered = self
        let places = Dictionary(uniqueKeysWithValues: Price.metrics.enumerated().map { ($0.element, $0.offset) })
        func key(_ line: Line) -> (Int, String, Int) {
            (line.kind == .base ? 0 : 1, line.tenant ?? "", line.metric.flatMap { places[$0] } ?? 0)
        }
        ordered.lines.sort { key($0) < key($1) }
        return ordered
    }
}
