internal import Contract
public import Fleet

/// The family `tenant`: the chatbots of an account, and who may work on them.
public enum Tenants {
    public static let family = JobFamily(.tenant) { [tenantCreate(), tokenIssue(), tokenRevoke()] }
}
