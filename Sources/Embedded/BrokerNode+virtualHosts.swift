internal import Glibc
internal import Synchronization

extension BrokerNode {
    /// Makes a virtual host on the running node, with all rights for the node's user; some 30 ms.
    /// - Parameter name: letters, digits, `-` and `_`, at most 63.
    /// - Returns: its URL.
    /// - Throws: ``EmbeddedError``, also when there is one of that name already.
    public func makeVirtualHost(_ name: String) async throws -> String {
        try requireName(name)
        let rights = "rabbit_auth_backend_internal:set_permissions(<<\"\(options.user)\">>, <<\"\(name)\">>, All, All, All, By)"
        try await evaluate(
            """
            By = <<"tenantry">>, All = <<".*">>, false = rabbit_vhost:exists(<<"\(name)">>),
            ok = rabbit_vhost:add(<<"\(name)">>, By), ok = \(rights).
            """)
        guard let url = url(vhost: name) else { throw EmbeddedError("RabbitMQ was stopped meanwhile.") }
        return url
    }

    /// Removes a virtual host with all that is in it, and closes the connections to it; some 100 ms. One that is not there is fine.
    public func removeVirtualHost(_ name: String) async throws {
        try requireName(name)
        try await evaluate(
            """
            case rabbit_vhost:exists(<<"\(name)">>) of true -> ok = rabbit_vhost:delete(<<"\(name)">>, <<"tenantry">>); false -> ok end.
            """)
    }

    private func requireName(_ name: String) throws {
        let isAllowed = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D || byte == 0x5F
        }
        guard isAllowed, (1...63).contains(name.utf8.count) else { throw EmbeddedError("\(name) is no name for a virtual host.") }
    }

    /// Evaluates Erlang on the node. By erl_call, a small C program: rabbitmqctl starts a whole Erlang machine for it, which takes a second.
    /// - Parameter expressions: their value must be `ok`; they end with a full stop.
    private func evaluate(_ expressions: String) async throws {
        guard let record = record.withLock({ $0 }) else { throw EmbeddedError("RabbitMQ was not started.") }
        let text = GNU.makeMemoryFile("expressions", GNU.closeOnExec)
        guard text >= 0 else { throw ServerFile.failure("Cannot pass on expressions") }
        defer { close(text) }
        // Without the line end, the full stop does not count.
        let bytes = Array((expressions + "\n").utf8)
        guard write(text, bytes, bytes.count) == bytes.count, lseek(text, 0, SEEK_SET) == 0 else {
            throw ServerFile.failure("Cannot pass on expressions")
        }
        // The cookie is read from HOME, and does not stand among the arguments, which every user can read. Each call has a name of its own
        // on the node: two of one name at a time are refused.
        let command = Command(
            program: try options.programs.tool("erl_call", package: "erlang-base"),
            arguments: ["-h", "call-" + ServerFile.randomWord(length: 12), "-n", record.nodeName, "-e"],
            environment: environment(record.ports, nodeName: record.nodeName), folder: options.directory, input: text)
        let answer = try await command.run(deadlineSeconds: 30)
        guard answer == "{ok, ok}" else { throw EmbeddedError("RabbitMQ answered \(answer) to \(expressions)", logPath: logPath) }
    }
}
