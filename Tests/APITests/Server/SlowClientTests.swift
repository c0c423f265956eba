internal import Contract
internal import NIOHTTP1
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import API

/// Clients that hold a connection and do not go on, or send more than they may.
@Suite struct SlowClientTests {
    @Test func `A head that never ends is told 408, however its bytes trickle in, and its connection ends`() async throws {
        try await withAPI(startsWorker: false, options: .adjusted { $0.times.head = 0.5 }) { stage in
            let connection = try RawConnection(port: stage.port)
            try await connection.send("GET /v1/me HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            try await connection.end { if connection.text.isEmpty { try await connection.send("x") } }
            #expect(connection.statuses == [408] && connection.text.contains("request_timeout"), "\(connection.text)")
            // The next one after an answer, too.
            let second = try RawConnection(port: stage.port)
            try await second.send("GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the first is answered") {
                second.receive()
                return second.statuses == [404]
            }
            try await second.send("GET /v1/me HT")
            try await second.end()
            #expect(second.statuses == [404, 408], "\(second.text)")
        }
    }

    @Test func `A slow head behind a request that waits for its answer does not come before that answer`() async throws {
        try await withAPI(startsWorker: false, options: .adjusted { $0.times.head = 0.2 }) { stage in
            let connection = try RawConnection(port: stage.port)
            let body = #"{"display_name":"x"}"#
            try await connection.send(
                """
                PATCH /v1/accounts/acme HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(stage.fleet.operatorToken)\r
                Prefer: wait=1\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
                """)
            try await eventually("the request has come") {
                try stage.fleet.number("select count(*) from tenantry.http_jobs") == 1
            }
            try await connection.send("GET /v1/me HT")
            try await connection.send("TP/1.1\r\nX-Slow: ")
            try await connection.end()
            // No worker has answered it, so it is still under way after a second.
            #expect(connection.statuses == [202, 408], "\(connection.text)")
        }
    }

    @Test func `A body that never ends is told 408, with its length told or in chunks, and its connection ends`() async throws {
        try await withAPI(startsWorker: false, options: .adjusted { $0.times.body = 0.5 }) { stage in
            for more in ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"] {
                let connection = try RawConnection(port: stage.port)
                try await connection.send("POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n\(more)")
                try await connection.end()
                #expect(connection.statuses == [408] && connection.text.contains("request_timeout"), "\(connection.text)")
            }
        }
    }

    @Test func `A connection without a request ends, before its first one and after an answer`() async throws {
        try await withAPI(startsWorker: false, options: .adjusted { $0.times.idle = 0.5 }) { stage in
            let silent = try RawConnection(port: stage.port)
            let answered = try RawConnection(port: stage.port)
            try await answered.send("GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
            try await answered.end()
            try await silent.end()
            #expect(answered.statuses == [404] && silent.text.isEmpty)
        }
    }

    @Test func `A body over its bound is told 413, in chunks or before it is sent, and its connection ends`() async throws {
        try await withAPI(startsWorker: false) { stage in
            func post(_ path: String, _ more: String) async throws -> RawConnection {
                let connection = try RawConnection(port: stage.port)
                try await connection.send(
                    """
                    POST \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(stage.fleet.operatorToken)\r
                    Content-Type: application/json\r\n\(more)
                    """)
                return connection
            }
            // Nobody has to send what will not be taken.
            let told = try await post("/v1/accounts", "Content-Length: 1048577\r\n\r\n")
            try await told.end()
            let chunk = "10000\r\n" + String(repeating: "x", count: 1 << 16) + "\r\n"
            let chunks = try await post("/v1/accounts", "Transfer-Encoding: chunked\r\n\r\n")
            try await chunks.end { if chunks.text.isEmpty { try await chunks.send(chunk) } }
            for connection in [told, chunks] {
                #expect(connection.statuses == [413] && connection.text.contains("payload_too_large"), "\(connection.text)")
            }
            // What fits is read to its end, and is no JSON.
            let whole = try await post("/v1/accounts", "Transfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<16 { try await whole.send(chunk) }
            try await whole.send("0\r\n\r\n")
            try await eventually("it is answered") {
                whole.receive()
                return !whole.statuses.isEmpty
            }
            #expect(whole.statuses == [400] && whole.text.contains("malformed_json"), "\(whole.text)")
        }
    }

    @Test func `A job's body is read as far as its sender may send one, and not at all of an account that is suspended`()
        async throws
    {
        try await withAPI { stage in
            let account = try await stage.makeAccount("acme")
            let logger = try await stage.makeToken(["conversation:write"], tenant: nil, token: account)
            func post(_ token: String, bytes: Int) async throws -> RawConnection {
                let connection = try RawConnection(port: stage.port)
                try await connection.send(
                    """
                    POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r
                    Content-Type: application/json\r\nContent-Length: \(bytes)\r\n\r\n
                    """)
                return connection
            }
            // It ingests nothing, so it sends nothing as long as that.
            let long = try await post(logger, bytes: 2 << 20)
            try await long.end()
            #expect(long.statuses == [413], "\(long.text)")
            // An account may: its body is awaited, and is no JSON.
            let whole = try await post(account, bytes: 2 << 20)
            try await whole.send(String(repeating: "x", count: 2 << 20))
            try await eventually("it is answered") {
                whole.receive()
                return !whole.statuses.isEmpty
            }
            #expect(whole.statuses == [400], "\(whole.text)")
            try stage.fleet.database.run(script: "update tenantry.accounts set state = 'suspended' where slug = 'acme'")
            let refused = try await post(account, bytes: 10)
            try await eventually("it is refused") {
                refused.receive()
                return !refused.statuses.isEmpty
            }
            #expect(refused.statuses == [403] && refused.text.contains("is suspended"), "\(refused.text)")
        }
    }

    @Test func `A head of any size and any number of headers is told 431, and its connection ends`() async throws {
        try await withAPI(startsWorker: false) { stage in
            let long = String(repeating: "x", count: 300 << 10)
            let many = (0..<1_500).map { "a\($0): b\r\n" }.joined()
            for headers in ["X-Long: \(long)", "X-Long: \(long)\r\n\r\n", many + "\r\n"] {
                let connection = try RawConnection(port: stage.port)
                try await connection.send("GET /v1/me HTTP/1.1\r\nHost: a\r\n\(headers)")
                try await connection.end()
                #expect(connection.statuses == [431] && connection.text.contains("headers_too_large"), "\(connection.text)")
            }
        }
    }

    @Test func `One connection too many takes the place of the one that has waited longest, and of none that is at work`()
        async throws
    {
        try await withAPI(startsWorker: false, options: .adjusted { $0.mostConnections = 3 }) { stage in
            func ask(_ connection: RawConnection) async throws {
                let answers = connection.statuses.count
                try await connection.send("GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n")
                try await eventually("an answer") {
                    connection.receive()
                    return connection.statuses.count > answers
                }
            }
            var connections: [RawConnection] = []
            for _ in 0..<3 {
                connections.append(try RawConnection(port: stage.port))
                try await ask(connections.last!)
            }
            // The first has an answer once more, so the second has waited longest.
            try await ask(connections[0])
            let fourth = try RawConnection(port: stage.port)
            try await ask(fourth)
            try await connections[1].end()
            // All three are at work: their bodies have not come.
            let busy = [connections[0], connections[2], fourth]
            for connection in busy {
                try await connection.send(
                    "POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
            }
            try await eventually("no more comes in") {
                let more = try RawConnection(port: stage.port)
                try await more.end()
                return more.text.isEmpty
            }
            for connection in busy {
                try await connection.send("}")
                try await eventually("it is answered") {
                    connection.receive()
                    return connection.statuses.last == 422
                }
            }
        }
    }
}
