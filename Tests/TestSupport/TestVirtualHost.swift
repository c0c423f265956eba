internal import Embedded

/// A virtual host of a test's own on the shared broker. It is deleted, with all that is in it, when nobody holds this any more.
public final class TestVirtualHost: Sendable {
    /// `amqp://…/t1`
    public let url: String
    private let name: String

    init(name: String, url: String) {
        self.name = name
        self.url = url
    }

    deinit {
        // Aside: the next test need not wait for it. What is not done when the process ends goes with the broker.
        Task { [name] in try? await TestServers.shared.broker().removeVirtualHost(name) }
    }
}
