internal import Contract
public import Fleet

/// The family `conversation`: what was said, by whom, when.
public enum Conversations {
    /// - Parameter batchLimit: the most jobs of one transaction.
    public static func family(batchLimit: Int) -> JobFamily {
        JobFamily(.conversation) { [ConversationLogHandler(batchLimit: batchLimit)] }
    }
}
