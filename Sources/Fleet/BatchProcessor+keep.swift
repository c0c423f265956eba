internal import AMQP
internal import Contract
internal import Jobs
internal import Postgres

extension BatchProcessor {
    /// What is written in one statement.
    private static let mostBytes = 8 << 20
    private static let mostMessages = 200

    /// Keeps messages in the database, however often it goes away meanwhile.
    ///
    /// - Returns: how many of them, from the first on, there was room for.
    func keep(_ messages: [PostCommitMessages.Required], _ database: inout Postgres.Connection) throws(Interruption) -> Int {
        var kept = 0
        while kept < messages.count {
            let portion = Self.portion(of: messages[kept...])
            do throws(Interruption) {
                let isKept = try onDatabase { () throws(PostgresError) in
                    try PostponedMessages.keep(try sealed(portion, on: &database), on: &database)
                }
                guard isKept else { return kept }
                kept += portion.count
            } catch {
                guard case .databaseAway(let cause) = error else { throw error }
                // Kept twice, it goes out twice, and is done once.
                database = try reconnect(after: cause)
            }
        }
        return kept
    }

    private static func portion(of messages: ArraySlice<PostCommitMessages.Required>) -> ArraySlice<PostCommitMessages.Required> {
        var bytes = 0
        let portion = messages.prefix(mostMessages).prefix { required in
            bytes += required.message.body.count
            return bytes <= mostBytes
        }
        return portion.isEmpty ? messages.prefix(1) : portion
    }

    /// The messages with seals in place of their credentials: no secret is written down.
    private func sealed(
        _ messages: ArraySlice<PostCommitMessages.Required>, on database: inout Postgres.Connection
    ) throws(PostgresError) -> [Publisher.OutgoingMessage] {
        let seal = try authorization.seal(from: &database)
        var sealed: [Publisher.OutgoingMessage] = []
        for required in messages {
            var message = required.message
            // A dead letter has neither a credential nor, if it may not be replayed without one, a seal.
            if message.exchange != Topology.deadExchange {
                let delivery = required.job.delivery
                var sender = required.job.sender
                if sender == nil { sender = try authorization.decide([delivery], on: &database)[0].sender }
                var headers = DeadLetter.withoutCredential(message.properties.headers)
                if let sender {
                    headers[Header.key.name] = .text(sender.key)
                    headers[Header.seal.name] = .text(seal.code(of: delivery, key: sender.key))
                }
                message.properties.headers = headers
            }
            sealed.append(message)
        }
        return sealed
    }
}
