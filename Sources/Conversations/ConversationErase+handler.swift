internal import Contract
internal import Jobs
internal import Postgres

extension Conversations {
    /// `conversation.erase`: what was said is deleted, and stays counted.
    ///
    /// Left behind are the numbers by period and hour (`tenantry.erased_usage`), so that what was used and billed stays as it was, and
    /// digests of the messages' ids (`tenantry.erased_messages`), so that a job that comes again doesn't bring them back. Of users nothing
    /// is kept: one who comes back is counted as a new one. Ids of conversations are not kept either.
    static func conversationErase() -> any JobHandler {
        SingleJobHandler(ConversationErase.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("conversation.erase passed without a tenant") }
            // Waits for the messages that are being logged, and makes those that follow wait: they have to see what was erased.
            try database.run(script: "lock table \(tenant.schema.quoted).messages in share row exclusive mode")
            let statement: Statement
            let subject: (field: DeadLetterErasure.Field, id: String)
            if let conversation = payload.conversationID {
                (statement, subject) = (ErasureSQL.conversation(tenant.schema), (.conversation, conversation))
            } else {
                (statement, subject) = (ErasureSQL.user(tenant.schema), (.user, payload.userID ?? ""))
            }
            let (messages, conversations, users) = try database.query(statement, tenant.slug, tenant.timezone, subject.id)
                .only((Int64, Int64, Int64).self)
            try DeadLetterErasure.note(tenant.slug, subject, on: &database)
            return Reply([
                "rows": .int(messages + conversations + users), "messages": .int(messages),
                "conversations": .int(conversations), "active_users": .int(users),
            ])
        }
    }
}
