internal import Contract
public import Jobs

/// The kinds `account.*`: who pays, and what they may use.
public enum Accounts {
    public static func handlers() -> [any JobHandler] { [accountCreate(), accountUpdate(), accountRotate()] }
}
