internal import CLibPQ

extension Connection {
    /// Runs one statement, prepared on its first use, and returns its rows.
    /// - Throws: the statement's error, or a usage error if sent statements are not collected yet.
    public mutating func query(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError) -> Rows {
        try requireNothingUncollected()
        try send(statement, parameters)
        guard let rows = try collect().last else { throw PostgresError(.usage, "no result", statement: statement.sql) }
        return rows
    }

    /// Sends a statement without waiting for its result, which comes from `collect()`, in the order of the sends.
    ///
    /// Waits only when the server is more than 4 MiB behind in reading; it reads results meanwhile, so there is no deadlock.
    public mutating func send(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError) {
        try requireUsable()
        let name = try prepare(statement, parameters)
        let accepted = sendExecution(name, parameters)
        try accept(accepted, .execute(statement, name: name), bytes: parameters.bytes.count + 64)
    }

    /// Ends the pipeline and returns every result since the last collect.
    ///
    /// Outside of a transaction, what was sent since then is one transaction of its own.
    /// - Throws: the first error, with its `statement`; what was sent after it has not run.
    public mutating func collect() throws(PostgresError) -> [Rows] {
        try settle()
        return try pipeline.takeOutcome()
    }

    /// Ends the pipeline and drops its results and errors; for a caller that takes back what was sent.
    mutating func discard() throws(PostgresError) {
        try settle()
        pipeline.dropOutcome()
    }

    /// Ends the pipeline with a sync and waits until everything is answered. Errors of statements are kept, not thrown.
    mutating func settle() throws(PostgresError) {
        try requireUsable()
        if pipeline.needsSync {
            guard PQpipelineSync(handle) == 1 else { throw lost() }
            pipeline.sent(.sync)
        }
        while pipeline.oldest != nil {
            let isFlushed = try flush()
            absorb()
            if pipeline.oldest == nil { break }
            if isBroken { throw lost() }
            if !wait(writing: !isFlushed) {
                absorb()
                if pipeline.oldest != nil { throw lost() }
            }
        }
    }

    /// Sends a statement of the driver's own, unprepared.
    mutating func sendControl(_ sql: String) throws(PostgresError) {
        try requireUsable()
        try accept(PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 1), .control(sql), bytes: sql.utf8.count)
    }

    func requireNothingUncollected() throws(PostgresError) {
        guard pipeline.uncollected == 0 else { throw PostgresError(.usage, "statements were sent and not collected") }
    }

    /// The statement's name on the server. Prepares it if it is not there, and deallocates the one that it replaces in the cache.
    private mutating func prepare(_ statement: Statement, _ parameters: borrowing Parameters) throws(PostgresError) -> String {
        switch cache.use(statement, types: parameters.types) {
        case .prepared(let name):
            return name
        case .missing(let name, let replaced):
            guard !statement.sql.utf8.contains(0) else {
                cache.forget(statement, name: name)
                throw PostgresError(.usage, "NUL in an SQL text", statement: statement.sql)
            }
            for stale in pipeline.takeStaleNames() { try deallocate(stale) }
            if let replaced { try deallocate(replaced) }
            let accepted = PQsendPrepare(handle, name, statement.sql, Int32(parameters.count), parameters.types)
            try accept(accepted, .prepare(statement, name: name), bytes: statement.sql.utf8.count)
            return name
        }
    }

    private mutating func deallocate(_ name: String) throws(PostgresError) {
        let accepted = PQsendQueryParams(handle, "DEALLOCATE \(name)", 0, nil, nil, nil, nil, 1)
        try accept(accepted, .deallocate(name: name), bytes: 32)
    }

    private mutating func sendExecution(_ name: String, _ parameters: borrowing Parameters) -> Int32 {
        let count = parameters.count
        while binaryFormats.count < count { binaryFormats.append(1) }
        valuePointers.removeAll(keepingCapacity: true)
        // The pointers live as long as this closure, in which libpq copies the values.
        return parameters.bytes.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                for offset in parameters.offsets { valuePointers.append(offset < 0 ? nil : bytes.baseAddress! + offset) }
                return PQsendQueryPrepared(handle, name, Int32(count), valuePointers, parameters.lengths, binaryFormats, 1)
            }
        }
    }

    /// Notes what libpq has accepted, and writes to the socket after every 64 KiB.
    private mutating func accept(_ accepted: Int32, _ request: Pipeline.Request, bytes: Int) throws(PostgresError) {
        guard accepted == 1 else {
            if PQstatus(handle) != CONNECTION_OK { throw lost() }
            if case .prepare(let statement, let name) = request { cache.forget(statement, name: name) }
            throw PostgresError(.usage, PostgresError.trimmed(PQerrorMessage(handle)), statement: request.sql)
        }
        pipeline.sent(request)
        unsentBytes += bytes
        guard unsentBytes - unsentBytesAtLastFlush >= Self.flushStepBytes else { return }
        while try !flush() {
            guard PQconsumeInput(handle) == 1 else {
                absorb()
                throw lost()
            }
            absorb()
            guard unsentBytes > Self.unsentLimitBytes else { return }
            guard wait(writing: true) else {
                absorb()
                throw lost()
            }
        }
    }

    private static var flushStepBytes: Int { 64 << 10 }
    private static var unsentLimitBytes: Int { 4 << 20 }
}
