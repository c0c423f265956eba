internal import Embedded
internal import Foundation
internal import TestSupport

/// A broker and a database of one run's own, and a way to each that can be disturbed. The database lies on a small disk where one can be made.
final class FaultServers {
    let node: BrokerNode
    let cluster: DatabaseCluster
    let disk: SmallDisk?
    let brokerURL: String
    let databaseURL: String
    let brokerWay: FaultProxy
    let databaseWay: FaultProxy
    private let folder: String

    init() async throws {
        folder = NSTemporaryDirectory() + "/tenantry-fault-\(UUID().uuidString)"
        var brokerOptions = BrokerNode.Options(directory: folder + "/rabbitmq")
        brokerOptions.lifetime = .throwAway
        node = BrokerNode(brokerOptions)
        let database = folder + "/postgresql"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o711])
        disk = SmallDisk.isPossible ? try SmallDisk(database) : nil
        var options = DatabaseCluster.Options(directory: database)
        options.lifetime = .throwAway
        options.isDurable = true
        options.port = try Loopback.freePorts(1)[0]
        cluster = DatabaseCluster(options)
        brokerURL = try await node.start()
        databaseURL = try await cluster.start() + "?sslmode=disable"
        brokerWay = try FaultProxy(to: brokerURL)
        databaseWay = try FaultProxy(to: databaseURL)
    }

    /// Starts the server anew that was stopped or has ended.
    func startDatabase() async throws {
        try await cluster.stop()
        try await startPatiently(cluster)
    }

    func stop() async {
        try? await node.stop()
        try? await cluster.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
