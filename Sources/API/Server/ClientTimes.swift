/// How long a client may take, in seconds.
struct ClientTimes: Sendable {
    /// From the first byte of a request to the end of its head.
    var head = 10.0
    /// From a request's head to the end of its body.
    var body = 60.0
    /// From a connection's opening or its last answer to the end of the next request's head.
    var idle = 60.0
    /// To receive a piece of an answer.
    var write = 60.0
    /// After an answer that ends the connection: what the client was still sending is read and dropped, since closing at once would take the
    /// answer from it, too.
    var linger = 2.0
}
