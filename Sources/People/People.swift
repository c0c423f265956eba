internal import Contract
public import Jobs

/// The kinds `admin.*` and `token.*`: who may work on accounts and tenants.
public enum People {
    public static func handlers() -> [any JobHandler] { [adminCreate(), adminRemove(), tokenIssue(), tokenRevoke()] }
}
