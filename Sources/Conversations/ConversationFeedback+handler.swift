internal import Contract
internal import Jobs
internal import Postgres

extension Conversations {
    /// `conversation.feedback`: a message has one rating, the last that came.
    static func conversationFeedback() -> any JobHandler {
        SingleJobHandler(ConversationFeedback.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("conversation.feedback passed without a tenant") }
            let rated = try database.query(
                FeedbackSQL.rate(tenant.schema), payload.messageID, payload.conversationID, payload.rating, payload.comment)
            guard rated.affected == 1 else {
                // The job that logs it may be behind this one.
                throw NotYet(Rejection.invalid("/message_id", "there is no such message in this conversation"))
            }
            return Reply(["message_id": .string(payload.messageID), "rating": .int(payload.rating)])
        }
    }
}

enum FeedbackSQL {
    static func rate(_ schema: Identifier) -> Statement {
        Statement(
            """
            update \(schema.quoted).messages set rating = $3::int8::int2, rating_comment = $4, rated_at = now()
            where id = $1 and conversation_id = $2
            """)
    }
}
