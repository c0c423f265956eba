internal import Contract
public import Jobs

/// The kinds `conversation.*`: what was said, by whom, when.
public enum Conversations {
    /// - Parameter batchLimit: the most `conversation.log` jobs of one transaction.
    public static func handlers(batchLimit: Int) -> [any JobHandler] {
        [ConversationLogHandler(batchLimit: batchLimit), conversationFeedback(), conversationErase()]
    }
}
