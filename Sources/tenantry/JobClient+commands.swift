internal import TenantryClient

extension JobClient {
    /// The client of a command: connected, or the command ends here. Its jobs have no deadline of their own, the command keeps time.
    static func forCommand(brokerURL: String, credential: String) async throws -> JobClient {
        var options = Options()
        options.timeout = nil
        // The settings have been asked already.
        options.allowsInsecure = true
        let client = try JobClient(brokerURL: brokerURL, credential: credential, options: options)
        try await client.connect()
        return client
    }

    /// Jobs handed over together, and how many such batches are on the way at once: while one is being confirmed, the next is made.
    private static let (batchCount, mostBatches) = (1_000, 3)
    /// The longest time without any confirm.
    private static let confirmSeconds = 30.0

    /// Hands jobs to the broker and tells how many it has.
    func handOver(_ requests: some Sequence<JobRequest>, handedOver: (Int) -> Void = { _ in }) async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            var (onTheirWay, done) = (0, 0)
            var batch: [JobRequest] = []
            func settle() async throws {
                guard let count = try await group.next() else { return }
                onTheirWay -= 1
                done += count
                handedOver(done)
            }
            func sendBatch() async throws {
                if onTheirWay == Self.mostBatches { try await settle() }
                onTheirWay += 1
                group.addTask { [batch] in
                    try await self.publish(batch, timeout: .seconds(Self.confirmSeconds))
                    return batch.count
                }
                batch.removeAll()
            }
            for request in requests {
                batch.append(request)
                if batch.count == Self.batchCount { try await sendBatch() }
            }
            if !batch.isEmpty { try await sendBatch() }
            while onTheirWay > 0 { try await settle() }
        }
    }
}
