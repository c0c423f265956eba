public import CoreMetrics
internal import Synchronization

/// The backend behind swift-metrics that `/metrics` shows.
///
/// `Counter` and `FloatingPointCounter` are counters, `Gauge`, `Meter` and `Recorder(aggregate: false)` gauges,
/// `Recorder(aggregate: true)` and `Timer` (in seconds) histograms. A histogram whose name ends in `_seconds`, and every timer,
/// has buckets from 0.0005 to 300 s; any other from 1 to 20,000.
///
/// Labels become metric names as they are, dimensions labels; illegal characters become `_`. The same label and dimensions
/// share one storage, written without a lock. A series stays until the process ends, also when its metric is destroyed: keep
/// dimensions bounded.
public final class PrometheusMetrics: MetricsFactory, Sendable {
    private let catalogue = Mutex(SeriesCatalogue())
    private let showsProcess: Bool

    /// An empty backend, but for the process's own metrics (`process_…`, from `/proc`).
    public convenience init() { self.init(showsProcess: true) }

    init(showsProcess: Bool) {
        self.showsProcess = showsProcess
        if showsProcess { describeProcess() }
    }

    /// Gives a metric its help text.
    ///
    /// - Parameters:
    ///   - name: the metric's label; it may come into being later or never.
    ///   - help: one sentence; a later call replaces it.
    public func describe(_ name: String, _ help: String) {
        catalogue.withLock { $0.describe(name, help) }
    }

    /// Everything measured, in the text exposition format 0.0.4; the same state renders to the same text.
    public func render() -> String {
        if showsProcess { readProcess() }
        let snapshot = catalogue.withLock { $0 }
        var text = ExpositionText()
        snapshot.write(to: &text)
        return text.text
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        counter(label, dimensions)
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        counter(label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        gauge(label, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        guard aggregate else { return gauge(label, dimensions) }
        return catalogue.withLock { $0.cell(label, dimensions) { HistogramCell(.suiting($0)) } }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        catalogue.withLock { $0.cell(label, dimensions) { _ in HistogramCell(.seconds) } }
    }

    // Others may hold the same storage, and a counter that vanishes and comes again reads as a restart.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    func counter(_ label: String, _ dimensions: [(String, String)] = []) -> CounterCell {
        catalogue.withLock { $0.cell(label, dimensions) { _ in CounterCell() } }
    }

    func gauge(_ label: String, _ dimensions: [(String, String)] = []) -> GaugeCell {
        catalogue.withLock { $0.cell(label, dimensions) { _ in GaugeCell() } }
    }
}
