internal import Contract
internal import Jobs

/// Where an answer may go: only to a queue that its sender alone can know or read. The default exchange reaches every queue of the broker, and
/// what arrives there bears the fleet's name.
enum ReplyAddress {
    /// Why no answer goes to the queue of this name; nil if one may.
    ///
    /// - Parameter sender: nil if the credential does not hold, or nobody has looked at it.
    static func refusal(of name: String, for sender: Principal?) -> Rejection? {
        if isMadeByBroker(name) { return nil }
        guard let sender else {
            return Rejection.replyTo("is answered only to one who is known, or to a queue that the broker named")
        }
        switch sender.role {
        case .operator, .fleet:
            return Topology.isFleetQueue(name) ? Rejection.replyTo("names a queue of the fleet") : nil
        case .account, .accountAdmin, .tenantAdmin, .token:
            guard name.hasPrefix(sender.account + ".") else {
                return Rejection.replyTo(
                    "must be direct reply-to, a queue that the broker named, or one whose name begins with \"\(sender.account).\""
                )
            }
            return nil
        }
    }

    /// Direct reply-to, which only the connection that asked can read, and names that nobody can guess.
    private static func isMadeByBroker(_ name: String) -> Bool {
        name.hasPrefix("amq.rabbitmq.reply-to") || name.hasPrefix("amq.gen-")
    }
}

extension Rejection {
    fileprivate static func replyTo(_ message: String) -> Rejection { Rejection(.invalidPayload, "property reply_to \(message)") }
}
