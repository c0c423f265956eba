internal import Contract
public import Jobs

/// The kinds `webhook.*`, and what calls the webhooks: for whoever has no AMQP.
public enum Webhooks {
    /// The most that an account has, its tenants' among them.
    static let mostOfAccount = 20

    /// - Parameter allowsLoopback: whether a webhook may be on this machine, over http too.
    public static func handlers(allowsLoopback: Bool) -> [any JobHandler] {
        let destinations = DestinationRule(allowsLoopback: allowsLoopback)
        return [
            webhookCreate(destinations), webhookUpdate(destinations), webhookRemove(), webhookRotate(), webhookTest(),
            webhookResend(), webhookRecover(),
        ]
    }
}
