internal import CLibPQ

extension Connection {
    /// `COPY … FROM STDIN`: streams the bytes, in the format the SQL names, and returns the number of rows.
    @discardableResult
    public mutating func copyIn(_ sql: String, _ bytes: UnsafeRawBufferPointer) throws(PostgresError) -> Int {
        try startCopy(sql, PGRES_COPY_IN)
        try put(bytes)
        return try endCopyIn(failure: nil)
    }

    @discardableResult
    public mutating func copyIn(_ sql: String, _ text: String) throws(PostgresError) -> Int {
        try startCopy(sql, PGRES_COPY_IN)
        var text = text
        // `withUTF8` does not carry typed errors.
        let outcome = text.withUTF8 { bytes in Swift.Result { () throws(PostgresError) in try put(UnsafeRawBufferPointer(bytes)) }
        }
        try outcome.get()
        return try endCopyIn(failure: nil)
    }

    /// `COPY … FROM STDIN` from a source of chunks, which need not end at rows; nil ends it. If the source throws, the COPY
    /// fails and nothing is copied.
    @discardableResult
    public mutating func copyIn(_ sql: String, chunks next: () throws -> [UInt8]?) throws -> Int {
        try startCopy(sql, PGRES_COPY_IN)
        do {
            while let chunk = try next() {
                try chunk.withUnsafeBytes { bytes in try put(bytes) }
            }
        } catch {
            // The COPY is made to fail on purpose; the source's error is the one to report.
            if isUsable { _ = try? endCopyIn(failure: "the source of the data failed") }
            throw error
        }
        return try endCopyIn(failure: nil)
    }

    /// `COPY … TO STDOUT`: calls the body with one row at a time, in the format the SQL names (text: with its line feed).
    /// The bytes are valid in the call only. If the body throws, the COPY is cancelled.
    public mutating func copyOut(_ sql: String, _ row: (UnsafeRawBufferPointer) throws -> Void) throws {
        try startCopy(sql, PGRES_COPY_OUT)
        do {
            while let bytes = try nextCopyRow() {
                defer { PQfreemem(bytes.baseAddress) }
                try row(UnsafeRawBufferPointer(bytes))
            }
        } catch {
            if isUsable { abandonCopyOut() }
            throw error
        }
        _ = try finishCopy(sql)
    }

    private mutating func startCopy(_ sql: String, _ direction: ExecStatusType) throws(PostgresError) {
        try leavePipeline()
        var failure = PostgresError(.usage, "the statement is no COPY of this direction", statement: sql)
        do throws(PostgresError) {
            try sendSimple(sql)
            guard let result = try nextResult() else { throw lost() }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case direction: return
            case PGRES_FATAL_ERROR: failure = error(of: result, statement: sql)
            // A COPY of the other direction leaves the connection in a state that cannot be left without its data.
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: isBroken = true
            default: break
            }
        } catch {
            failure = error
        }
        if isUsable {
            while let result = try nextResult() { PQclear(result) }
            try enterPipeline()
        }
        throw failure
    }

    private mutating func put(_ bytes: UnsafeRawBufferPointer) throws(PostgresError) {
        var position = 0
        while position < bytes.count {
            let piece = UnsafeRawBufferPointer(rebasing: bytes[position..<min(position + 65_536, bytes.count)])
            let outcome = PQputCopyData(handle, piece.baseAddress!.assumingMemoryBound(to: CChar.self), Int32(piece.count))
            guard outcome >= 0 else { throw lost() }
            if outcome == 1 { position += piece.count }
            while try !flush() {
                guard wait(writing: true) else { throw lost() }
            }
        }
    }

    private mutating func endCopyIn(failure: String?) throws(PostgresError) -> Int {
        while true {
            let outcome = PQputCopyEnd(handle, failure)
            guard outcome >= 0 else { throw lost() }
            if outcome == 1 { break }
            guard wait(writing: true) else { throw lost() }
        }
        return try finishCopy(nil)
    }

    /// The next row; nil at the end. The caller frees it.
    private mutating func nextCopyRow() throws(PostgresError) -> UnsafeMutableRawBufferPointer? {
        while true {
            var row: UnsafeMutablePointer<CChar>?
            switch PQgetCopyData(handle, &row, 1) {
            case 0:
                guard wait(writing: false) else { throw lost() }
            case -1: return nil
            case -2: throw lost()
            case let length: return UnsafeMutableRawBufferPointer(start: row, count: Int(length))
            }
        }
    }

    /// Reads the COPY's outcome and goes back to the pipeline.
    private mutating func finishCopy(_ sql: String?) throws(PostgresError) -> Int {
        var rows = 0
        var failure: PostgresError?
        while let result = try nextResult() {
            if PQresultStatus(result) == PGRES_COMMAND_OK {
                rows = Rows(result).affected
                continue
            }
            if failure == nil { failure = error(of: result, statement: sql) }
            PQclear(result)
            if failure?.isConnectionLoss == true {
                isBroken = true
                break
            }
        }
        try enterPipeline()
        if let failure { throw failure }
        return rows
    }

    private mutating func abandonCopyOut() {
        do {
            try cancel()
            while let row = try nextCopyRow() { PQfreemem(row.baseAddress) }
            _ = try finishCopy(nil)
        } catch {
            // 57014 is the cancellation that was asked for; any other error shows when the connection is used next.
        }
    }
}
