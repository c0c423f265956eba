internal import Contract
public import Fleet

/// The kinds `account.*`: who pays, and what they may use.
public enum Accounts {
    public static func handlers() -> [any JobHandler] { [accountCreate(), accountUpdate(), accountRotate()] }
}
