internal import FoundationEssentials
internal import Glibc

extension BrokerNode {
    /// What the node reads at its start. Name, cookie and password are made once and kept.
    func writeFiles(_ ports: Ports) throws -> (nodeName: String, password: String) {
        let folder = options.directory
        let nodeName = try ServerFile.kept(folder + "/node-name") { "tenantry-\(ServerFile.randomWord(length: 12))@localhost" }
        let password = try ServerFile.kept(folder + "/password") { ServerFile.randomWord(length: 32) }
        // Erlang insists on 0400.
        _ = try ServerFile.kept(folder + "/home/.erlang.cookie", mode: 0o400) { ServerFile.randomWord(length: 40) }
        try ServerFile.write("[\(options.plugins.joined(separator: ","))].\n", to: folder + "/enabled_plugins")
        try ServerFile.write(configuration(ports), to: folder + "/rabbitmq.conf")
        try ServerFile.write(Self.advancedConfiguration, to: folder + "/advanced.config")
        let definitions = Definitions(user: options.user, password: password, virtualHosts: options.virtualHosts)
        try ServerFile.write(String(decoding: JSONEncoder().encode(definitions), as: UTF8.self), to: folder + "/definitions.json")
        return (nodeName, password)
    }

    private func configuration(_ ports: Ports) -> String {
        """
        # Written anew at each start.
        listeners.tcp.1 = 127.0.0.1:\(ports.amqp)
        load_definitions = \(options.directory)/definitions.json
        vm_memory_high_watermark.relative = 0.4
        disk_free_limit.absolute = 50MB
        log.console = false
        log.file.level = info
        \(options.configuration.joined(separator: "\n"))

        """
    }

    /// What `rabbitmq.conf` has no word for. A message whose time in a delay queue is over, and that no queue took just then, is tried again after
    /// so many milliseconds, not after three minutes.
    private static let advancedConfiguration = "[{rabbit, [{dead_letter_worker_publisher_confirm_timeout, 5000}]}].\n"

    /// The whole environment of the node, its port mapper and rabbitmqctl: nothing is inherited, and each path that would lead to
    /// the system's own node (`/etc/rabbitmq`, `/var/lib/rabbitmq`, `/var/log/rabbitmq`) is led into our directory.
    func environment(_ ports: Ports, nodeName: String) -> [String: String] {
        let folder = options.directory
        let loopbackOnly = "-kernel inet_dist_use_interface {127,0,0,1}"
        return [
            "PATH": options.programs.searchPath.joined(separator: ":"),
            "LANG": "C.UTF-8",
            "HOME": folder + "/home",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": "\(ports.mapper)",
            // Read by every Erlang machine: the node, rabbitmqctl, and the short-lived one with which the node looks for its mapper.
            "ERL_ZFLAGS": loopbackOnly,
            "ERL_CRASH_DUMP_SECONDS": "0",
            "RABBITMQ_NODENAME": nodeName,
            "RABBITMQ_DIST_PORT": "\(ports.distribution)",
            "RABBITMQ_CONF_ENV_FILE": folder + "/rabbitmq-env.conf",
            "RABBITMQ_CONFIG_FILE": folder + "/rabbitmq.conf",
            "RABBITMQ_CONFIG_FILES": folder + "/conf.d",
            "RABBITMQ_ADVANCED_CONFIG_FILE": folder + "/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": folder + "/enabled_plugins",
            "RABBITMQ_MNESIA_BASE": folder + "/mnesia",
            "RABBITMQ_LOG_BASE": folder + "/log",
            "RABBITMQ_LOGS": logPath,
            "RABBITMQ_PID_FILE": folder + "/rabbitmq.pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
            // Lets the start script become the Erlang machine instead of waiting for it: one process, whose number we know.
            "RUNNING_UNDER_SYSTEMD": "true",
        ]
    }
}

/// The part of RabbitMQ's definitions file that makes a user and virtual hosts; imported before the node listens
/// (https://www.rabbitmq.com/docs/definitions).
private struct Definitions: Encodable {
    struct User: Encodable {
        var name: String
        var password: String
        var tags = "administrator"
    }

    struct VirtualHost: Encodable {
        var name: String
    }

    struct Permission: Encodable {
        var user: String
        var vhost: String
        var configure = ".*"
        var write = ".*"
        var read = ".*"
    }

    var users: [User]
    var vhosts: [VirtualHost]
    var permissions: [Permission]

    init(user: String, password: String, virtualHosts: [String]) {
        users = [User(name: user, password: password)]
        vhosts = virtualHosts.map { VirtualHost(name: $0) }
        permissions = virtualHosts.map { Permission(user: user, vhost: $0) }
    }
}
