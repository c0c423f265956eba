extension JobStateMachine {
    /// Why a job is not done in time, as far as we can tell.
    func lateness(of entry: Entry) -> ClientError {
        let id = entry.job.request.id
        let again = "; send it again under the same id to learn what became of it"
        let sent = entry.wasPublished ? "; the broker may have it from before: send it again under the same id" : ""
        switch entry.phase {
        case .queued where !isConnected:
            return ClientError(
                .connection,
                "job \(id) waits in vain for a connection: \(lastFailure?.message ?? "none was made in time")\(sent)",
                jobID: id, replyCode: lastFailure?.replyCode, underlying: lastFailure?.underlying)
        case .queued where isBlocked:
            return ClientError(
                .timeout, "job \(id) was not sent in time: the broker takes no publishes at the moment\(sent)", jobID: id)
        case .queued:
            return ClientError(.timeout, "job \(id) was not sent in time: too many others are in flight\(sent)", jobID: id)
        case .publishing, .unconfirmed:
            return ClientError(.timeout, "the broker did not confirm job \(id) in time\(again)", jobID: id)
        case .confirmed:
            return ClientError(.timeout, "no answer to job \(id) in time: it stays queued\(again)", jobID: id)
        }
    }
}

extension ClientError {
    static func shutDown(_ id: String) -> ClientError { ClientError(.closed, "the client is shut down", jobID: id) }

    static func cancelled(_ id: String) -> ClientError {
        ClientError(.cancelled, "job \(id) is no longer waited for; if it was sent, it runs all the same", jobID: id)
    }

    /// The same error, about one job.
    func about(_ id: String) -> ClientError {
        var error = self
        error.jobID = id
        return error
    }
}
