internal import Contract
public import Fleet

/// The kind `billing.close`: invoices of finished periods.
public enum Billing {
    public static func handlers() -> [any JobHandler] { [] }
}
