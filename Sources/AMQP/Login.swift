internal import CLibRabbitMQ
internal import Glibc

/// The way from a URL to a connection that is logged in.
struct Login {
    let url: BrokerURL
    let name: String
    let heartbeatSeconds: Int
    let frameMaxBytes: Int

    /// Source of the option's number: `linux/tcp.h`, which Glibc's module does not show.
    private static let tcpUserTimeout: Int32 = 18
    /// Where Debian keeps the system's authorities; `SSL_CERT_FILE` overrides it as in OpenSSL.
    private static let systemAuthorities = "/etc/ssl/certs/ca-certificates.crt"

    /// The connection with its main channel open, ours to destroy, and the largest frame that the broker takes from us. On an error it is
    /// destroyed already.
    func open() throws(AMQPError) -> (state: OpaquePointer, frameMaxBytes: Int) {
        guard (0...65535).contains(heartbeatSeconds), (4096...Int(Int32.max)).contains(frameMaxBytes) else {
            throw AMQPError(.usage, "the heartbeat must be 0 to 65535 seconds, the largest frame at least 4096 bytes")
        }
        guard let state = amqp_new_connection() else { throw AMQPError(.library, "no memory for a connection") }
        var agreedBytes = frameMaxBytes
        do throws(AMQPError) {
            try connect(state)
            try authenticate(state)
            agreedBytes = Int(amqp_get_frame_max(state))
            try takeLargerFrames(state)
            guard amqp_channel_open(state, Connection.mainChannel) != nil else { throw refusal(amqp_get_rpc_reply(state)) }
            amqp_maybe_release_buffers(state)
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        return (state, agreedBytes)
    }

    private func connect(_ state: OpaquePointer) throws(AMQPError) {
        guard let socket = url.usesTLS ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state) else {
            throw AMQPError(.library, "no memory for a socket")
        }
        if url.usesTLS { try secure(socket) }
        var timeout = timeval(milliseconds: url.connectTimeoutMilliseconds)
        amqp_set_handshake_timeout(state, &timeout)
        let status = amqp_socket_open_noblock(socket, url.host, Int32(url.port), &timeout)
        guard status == AMQP_STATUS_OK.rawValue else { throw AMQPError(status: status, "cannot connect to \(url)") }
        setOptions(amqp_get_sockfd(state))
    }

    private func secure(_ socket: OpaquePointer) throws(AMQPError) {
        amqp_ssl_socket_set_verify_peer(socket, url.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_verify_hostname(socket, url.verifiesPeer ? 1 : 0)
        amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST)
        if url.verifiesPeer {
            let file = url.authorityFile ?? getenv("SSL_CERT_FILE").map { String(cString: $0) } ?? Self.systemAuthorities
            guard amqp_ssl_socket_set_cacert(socket, file) == AMQP_STATUS_OK.rawValue else {
                throw AMQPError(.connection, "cannot read certificate authorities from \(file)")
            }
        }
        if let certificate = url.certificateFile, let key = url.keyFile {
            guard amqp_ssl_socket_set_key(socket, certificate, key) == AMQP_STATUS_OK.rawValue else {
                throw AMQPError(.connection, "cannot use the certificate \(certificate) with the key \(key)")
            }
        }
    }

    /// Without a user timeout, a send to a peer that has vanished blocks until the kernel gives up, a quarter of an hour later.
    private func setOptions(_ descriptor: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        var milliseconds = UInt32(heartbeatSeconds == 0 ? 60_000 : max(heartbeatSeconds * 2000, 10_000))
        setsockopt(descriptor, Int32(IPPROTO_TCP), Self.tcpUserTimeout, &milliseconds, socklen_t(MemoryLayout<UInt32>.size))
    }

    /// Without `consumer_cancel_notify` a deleted queue leaves its consumer waiting for ever, without `connection.blocked` an alarm
    /// looks like a slow network, and without `authentication_failure_close` wrong credentials look like a lost connection.
    private static let capabilities: FieldTable = [
        "authentication_failure_close": true, "basic.nack": true, "connection.blocked": true, "consumer_cancel_notify": true,
        "exchange_exchange_bindings": true, "publisher_confirms": true,
    ]

    private func authenticate(_ state: OpaquePointer) throws(AMQPError) {
        var arena = ScratchArena()
        var properties = try arena.table([
            "product": "Tenantry", "connection_name": .text(name), "capabilities": .table(Self.capabilities),
        ])
        let reply = tenantry_amqp_login_plain(
            state, url.virtualHost, Int32(Connection.probeChannel), Int32(frameMaxBytes), Int32(heartbeatSeconds), &properties,
            url.user, url.password)
        guard reply.reply_type == AMQP_RESPONSE_NORMAL else { throw refusal(reply) }
    }

    /// The broker holds no one but the senders to the frames that were agreed on. What it adds to a message that is delivered again, or
    /// dead-lettered, stands in the one frame that holds all headers; if that were too long for us, each new connection would get it again
    /// and be lost.
    private func takeLargerFrames(_ state: OpaquePointer) throws(AMQPError) {
        let agreed = amqp_get_frame_max(state)
        guard agreed < Connection.largestFrameBytes else { return }
        let status = amqp_tune_connection(
            state, amqp_get_channel_max(state), Int32(Connection.largestFrameBytes), amqp_get_heartbeat(state))
        guard status == AMQP_STATUS_OK.rawValue else { throw AMQPError(status: status, "cannot log in to \(url)") }
    }

    private func refusal(_ reply: amqp_rpc_reply_t) -> AMQPError {
        guard reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION, reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD else {
            return AMQPError(status: reply.library_error, "cannot log in to \(url)")
        }
        let close = reply.reply.decoded.load(as: amqp_connection_close_t.self)
        return AMQPError(.connection, replyCode: Int(close.reply_code), "\(url) refuses the login: \(close.reply_text.text)")
    }
}

extension AMQPError {
    /// An error of the library: broken by the network, or by itself.
    init(status: Int32, _ action: String) {
        let isInternal = [
            AMQP_STATUS_NO_MEMORY, AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
            AMQP_STATUS_INVALID_PARAMETER, AMQP_STATUS_TABLE_TOO_BIG, AMQP_STATUS_WRONG_METHOD, AMQP_STATUS_TIMER_FAILURE,
            AMQP_STATUS_UNEXPECTED_STATE,
        ].contains { $0.rawValue == status }
        self.init(isInternal ? .library : .connection, "\(action): \(String(cString: amqp_error_string2(status)))")
    }
}

extension amqp_bytes_t {
    var text: String { String(decoding: UnsafeRawBufferPointer(start: bytes, count: len), as: UTF8.self) }
}

extension timeval {
    init(milliseconds: Int) {
        self.init(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    }
}
