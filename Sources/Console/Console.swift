public import CoreMetrics
public import Logging
public import ServiceLifecycle
internal import Hummingbird
public struct Readiness: Sendable { public var isReady: Bool; public var details: [String: String]; public init(isReady: Bool, details: [String: String]) { self.isReady = isReady; self.details = details } }
public final class PrometheusMetrics: MetricsFactory, Sendable {
    public init() {}
    public func describe(_ name: String, _ help: String) {}
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { NOOPMetricsHandler.instance }
    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler { NOOPMetricsHandler.instance }
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { NOOPMetricsHandler.instance }
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}
public struct ConsoleServer: Service {
    let port: Int; let readiness: @Sendable () -> Readiness; let onListening: @Sendable (Int) -> Void
    public init(host: String = "127.0.0.1", port: Int, readiness: @escaping @Sendable () -> Readiness, metrics: PrometheusMetrics, logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in }) { self.port = port; self.readiness = readiness; self.onListening = onListening }
    public func run() async throws {
        let router = Router()
        router.get("/ready") { [readiness] _, _ in readiness().isReady ? HTTPResponse.Status.ok : .serviceUnavailable }
        let app = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), onServerRunning: { [onListening] c in onListening(c.localAddress?.port ?? 0) })
        try await app.runService(gracefulShutdownSignals: [])
    }
}
