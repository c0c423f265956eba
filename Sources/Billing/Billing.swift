public import Jobs

/// The kind `billing.close`: invoices of finished periods; and their way to Stripe, ``InvoiceDispatcher``.
public enum Billing {
    /// - Parameter sendsInvoices: whether this platform has a Stripe key: without one, an invoice that Stripe should have says that it is
    ///   not sent.
    public static func handlers(sendsInvoices: Bool) -> [any JobHandler] {
        [billingClose(sendsInvoices: sendsInvoices)]
    }
}
