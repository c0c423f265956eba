internal import Glibc

extension JobClient {
    /// Sends a job and waits for its answer.
    ///
    /// A job that the fleet rejects has an answer, too, with the status `rejected`; `try answer.get()` throws its `Rejection` instead.
    /// - Parameters:
    ///   - tenant: the tenant's slug, for kinds that work on one.
    ///   - id: the idempotency key within the account, 1 to 128 characters. Sent again under the same id, a job that succeeded has no
    ///     second effect and gets the first answer, with `duplicate`.
    ///   - timeout: nil: ``Options/timeout``.
    /// - Throws: ``ClientError``; it has the id. After `timeout`, `connection` and `cancelled` the job may run all the same.
    public func send(
        _ payload: some JobPayload, tenant: String? = nil, id: String = JobRequest.newID(), timeout: Duration? = nil
    ) async throws(ClientError) -> Answer {
        try await send(JobRequest(payload, tenant: tenant, id: id), timeout: timeout).answer
    }

    /// Sends a job by its kind's name and the bytes of its payload, and waits for its answer.
    ///
    /// - Parameter onHandedOver: called, on any thread, when the broker has taken responsibility for the job: from then on it will be
    ///   carried out, whether somebody waits or not. Again after a lost connection, never if the answer is faster.
    /// - Throws: as the form with a payload.
    public func send(
        _ request: JobRequest, timeout: Duration? = nil, onHandedOver: @escaping @Sendable () -> Void = {}
    ) async throws(ClientError) -> ReceivedAnswer {
        let job = try job(request, wantsAnswer: true, timeout: timeout)
        start()
        return try ReceivedAnswer(try await dispatcher.send(job, onHandedOver: onHandedOver).get(), jobID: request.id)
    }

    /// Hands a job to the broker and waits for its confirm alone: from then on it will be carried out, or dead-lettered.
    ///
    /// - Throws: as ``send(_:tenant:id:timeout:)``.
    public func publish(
        _ payload: some JobPayload, tenant: String? = nil, id: String = JobRequest.newID(), timeout: Duration? = nil
    ) async throws(ClientError) {
        try await publish([JobRequest(payload, tenant: tenant, id: id)], timeout: timeout)
    }

    /// Hands a job to the broker by its kind's name and the bytes of its payload.
    public func publish(_ request: JobRequest, timeout: Duration? = nil) async throws(ClientError) {
        try await publish([request], timeout: timeout)
    }

    /// Hands jobs to the broker, in order, and waits until it has confirmed all of them: the fastest way to send many. Call it with
    /// some thousand at a time, the next ones while the last are being confirmed.
    ///
    /// - Throws: the first failure; others may have been taken. Send all of them again under the same ids.
    public func publish(_ requests: [JobRequest], timeout: Duration? = nil) async throws(ClientError) {
        var jobs: [JobStateMachine.Job] = []
        jobs.reserveCapacity(requests.count)
        for request in requests { jobs.append(try job(request, wantsAnswer: false, timeout: timeout)) }
        start()
        _ = try await dispatcher.send(jobs).get()
    }

    private func job(
        _ request: JobRequest, wantsAnswer: Bool, timeout: Duration?
    ) throws(ClientError) -> JobStateMachine.Job {
        try request.check()
        let deadline = (timeout ?? options.timeout).map { ContinuousClock.now + $0 }
        return JobStateMachine.Job(
            request: request, wantsAnswer: wantsAnswer, enqueuedAt: UInt64(time(nil)), deadline: deadline)
    }
}
