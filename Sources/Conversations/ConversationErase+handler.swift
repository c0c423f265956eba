internal import Contract
internal import Jobs
internal import Postgres

extension Conversations {
    /// `conversation.erase`: what was said is deleted, and stays counted.
    ///
    /// Left behind are the numbers by period and hour (`tenantry.erased_usage`), so that what was used and billed stays as it was, and
    /// digests of the messages' ids (`tenantry.erased_messages`), so that a job that comes again doesn't bring them back. Of users nothing
    /// is kept: one who comes back is counted as a new one. Neither are ids of conversations.
    static func conversationErase() -> any JobHandler {
        SingleJobHandler(ConversationErase.self) { payload, job, database in
            guard let tenant = job.tenant else { preconditionFailure("conversation.erase passed without a tenant") }
            // Waits for the messages that are being logged, and lets those that follow wait: they have to see what was erased.
            try database.run(script: "lock table \(tenant.schema.quoted).messages in share row exclusive mode")
            var parameters = Parameters()
            parameters.append(tenant.slug)
            parameters.append(tenant.timezone)
            let statement: Statement
            if let conversation = payload.conversationID {
                statement = ErasureSQL.conversation(tenant.schema)
                parameters.append(conversation)
            } else {
                statement = ErasureSQL.user(tenant.schema)
                parameters.append(payload.userID)
            }
            let rows = try database.query(statement, parameters)
            let (messages, conversations, users) = (rows.int(0, 0), rows.int(0, 1), rows.int(0, 2))
            return Reply([
                "rows": .int(messages + conversations + users), "messages": .int(messages),
                "conversations": .int(conversations), "active_users": .int(users),
            ])
        }
    }
}
