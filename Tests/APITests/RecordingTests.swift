import CoreMetrics
import Testing

@testable import API

@Suite("What is recorded")
struct RecordingTests {
    private let metrics = PrometheusMetrics(showsProcess: false)

    @Test("Nothing is lost when many threads record at once, and every text read meanwhile is sound")
    func concurrency() async throws {
        let tasks = 8
        let rounds = 20_000
        try await withThrowingTaskGroup(of: Void.self) { [metrics] group in
            for task in 0..<tasks {
                group.addTask {
                    let jobs = Counter(label: "jobs_total", dimensions: [("kind", "a")], factory: metrics)
                    let cost = FloatingPointCounter(label: "cost_total", factory: metrics)
                    let depth = Meter(label: "depth", factory: metrics)
                    let seconds = Recorder(label: "job_seconds", factory: metrics)
                    for round in 0..<rounds {
                        jobs.increment(by: 2)
                        cost.increment(by: 0.5)
                        if task.isMultiple(of: 2) { depth.increment(by: 1) } else { depth.decrement(by: 1) }
                        seconds.record(round.isMultiple(of: 2) ? 0.25 : 64)
                    }
                }
            }
            group.addTask { for _ in 0..<50 { _ = try Exposition(metrics.render()) } }
            try await group.waitForAll()
        }
        let text = try Exposition(metrics.render())
        let total = Double(tasks * rounds)
        #expect(text.value("jobs_total", ["kind": "a"]) == total * 2)
        #expect(text.value("cost_total") == total / 2)
        #expect(text.value("depth") == 0)
        #expect(text.value("job_seconds_bucket", ["le": "0.25"]) == total / 2)
        #expect(text.value("job_seconds_count") == total)
        #expect(text.value("job_seconds_sum") == total / 2 * 64.25)
    }

    @Test("The same label and dimensions share one storage, in whatever order the dimensions come")
    func sharing() throws {
        let one = metrics.makeCounter(label: "jobs_total", dimensions: [("a", "1"), ("b", "2")])
        let same = metrics.makeCounter(label: "jobs_total", dimensions: [("b", "2"), ("a", "1")])
        let other = metrics.makeCounter(label: "jobs_total", dimensions: [("a", "1")])
        #expect(one === same)
        #expect(one !== other)
        #expect(metrics.makeTimer(label: "t_seconds", dimensions: []) === metrics.makeTimer(label: "t_seconds", dimensions: []))
        #expect(
            metrics.makeRecorder(label: "g", dimensions: [], aggregate: false)
                === metrics.makeMeter(label: "g", dimensions: []))
        metrics.destroyCounter(one)
        same.increment(by: 5)
        #expect(try Exposition(metrics.render()).value("jobs_total", ["a": "1", "b": "2"]) == 5)
    }

    @Test("A counter never falls; whole and fractional steps add up; a reset is zero")
    func counters() throws {
        let whole = Counter(label: "x_total", factory: metrics)
        let fractional = FloatingPointCounter(label: "x_total", factory: metrics)
        whole.increment(by: 4)
        whole.increment(by: -3)
        fractional.increment(by: 0.25)
        fractional.increment(by: -1.0)
        fractional.increment(by: Double.nan)
        #expect(try Exposition(metrics.render()).value("x_total") == 4.25)
        whole.reset()
        #expect(try Exposition(metrics.render()).value("x_total") == 0)
    }

    @Test("A gauge holds what was set last")
    func gauges() throws {
        let gauge = Gauge(label: "g", factory: metrics)
        gauge.record(7)
        gauge.record(-2)
        let meter = Meter(label: "m", factory: metrics)
        meter.set(10)
        meter.increment(by: 0.5)
        meter.decrement()
        let text = try Exposition(metrics.render())
        #expect(text.value("g") == -2)
        #expect(text.value("m") == 9.5)
    }
}
