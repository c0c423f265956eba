internal import Contract
public import Fleet

/// The family `account`: who pays, and what they may use.
public enum Accounts {
    public static let family = JobFamily(.account) { [accountCreate(), accountUpdate()] }
}
