internal import CLibPQ

extension Connection {
    /// Takes in every result that is here, without waiting.
    mutating func absorb() {
        while !isBroken, let request = pipeline.oldest, PQisBusy(handle) == 0 {
            guard let result = PQgetResult(handle) else {
                // A NULL without a result before it: the connection is gone, which the next wait will report.
                guard pipeline.oldestHasResult else { return }
                pipeline.advance()
                continue
            }
            // A second result for the same statement: libpq reports once more that the connection is dead.
            if pipeline.oldestHasResult, PQstatus(handle) != CONNECTION_OK {
                PQclear(result)
                return
            }
            pipeline.oldestHasResult = true
            receive(result, for: request)
        }
    }

    private mutating func receive(_ result: OpaquePointer, for request: Pipeline.Request) {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
            switch request {
            case .execute:
                pipeline.rows.append(Rows(result))
                return
            case .control: pipeline.controlTag = String(cString: PQcmdStatus(result))
            default: break
            }
        case PGRES_PIPELINE_SYNC:
            // A sync is the only request whose result no NULL follows.
            pipeline.advance()
        case PGRES_PIPELINE_ABORTED:
            skip(request)
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
            // libpq would report this state for ever.
            pipeline.failed(
                PostgresError(.usage, "COPY does not work in a pipeline: use copyIn or copyOut", statement: request.sql))
            isBroken = true
        default:
            fail(request, error(of: result, statement: request.sql))
        }
        PQclear(result)
    }

    /// The server did not run the request, because one before it failed.
    private mutating func skip(_ request: Pipeline.Request) {
        switch request {
        case .prepare(let statement, let name):
            cache.forget(statement, name: name)
            pipeline.notPrepared(name)
        case .deallocate(let name): pipeline.notDeallocated(name)
        default: break
        }
    }

    private mutating func fail(_ request: Pipeline.Request, _ error: PostgresError) {
        pipeline.failed(error)
        if error.isConnectionLoss { isBroken = true }
        switch request {
        case .execute(let statement, let name):
            // 26000: the statement was deallocated. 0A000: a table has changed ("cached plan must not change result type");
            // for other errors with this code the statement is merely prepared once more.
            if error.sqlState == "26000" {
                cache.forget(statement, name: name)
            } else if error.sqlState == "0A000" {
                cache.forget(statement, name: name)
                pipeline.notDeallocated(name)
            }
        case .deallocate where error.sqlState == "26000": break
        default: skip(request)
        }
    }
}
