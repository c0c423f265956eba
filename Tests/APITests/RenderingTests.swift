import CoreMetrics
import Testing

@testable import API

@Suite("What /metrics says")
struct RenderingTests {
    private let metrics = PrometheusMetrics(showsProcess: false)

    @Test("A counter, a gauge and a help text stand as the format wants them, byte by byte")
    func bytes() {
        metrics.describe("tenantry_jobs_total", "Jobs settled, by kind\nand \\ \"outcome\".")
        let jobs = Counter(
            label: "tenantry_jobs_total", dimensions: [("outcome", "rejected"), ("kind", "tenant.create")], factory: metrics)
        jobs.increment(by: 3)
        Meter(label: "tenantry_lanes", factory: metrics).set(2.5)
        #expect(
            metrics.render() == """
                # HELP tenantry_jobs_total Jobs settled, by kind\\nand \\\\ "outcome".
                # TYPE tenantry_jobs_total counter
                tenantry_jobs_total{kind="tenant.create",outcome="rejected"} 3
                # TYPE tenantry_lanes gauge
                tenantry_lanes 2.5

                """)
    }

    @Test("A histogram's buckets are cumulative, inclusive at their bound, and end with all")
    func histogram() throws {
        let seconds = Recorder(label: "tenantry_job_seconds", dimensions: [("kind", "a")], factory: metrics)
        for value in [0.0001, 0.0005, 0.0006, 1, 299, 1_000] { seconds.record(value) }
        seconds.record(Double.nan)
        seconds.record(Double.infinity)
        let text = try Exposition(metrics.render())
        func bucket(_ bound: String) -> Double? { text.value("tenantry_job_seconds_bucket", ["kind": "a", "le": bound]) }
        #expect(bucket("0.0005") == 2)
        #expect(bucket("0.001") == 3)
        #expect(bucket("0.5") == 3)
        #expect(bucket("1") == 4)
        #expect(bucket("100") == 4)
        #expect(bucket("300") == 5)
        #expect(bucket("+Inf") == 6)
        #expect(text.value("tenantry_job_seconds_count", ["kind": "a"]) == 6)
        #expect(text.value("tenantry_job_seconds_sum", ["kind": "a"]) == 0.0001 + 0.0005 + 0.0006 + 1 + 299 + 1_000)
    }

    @Test("The unit in a histogram's name chooses its buckets; a timer counts seconds whatever its name")
    func bounds() throws {
        Recorder(label: "tenantry_batch_jobs", factory: metrics).record(12_000)
        Timer(label: "upload", factory: metrics).recordMilliseconds(40)
        let text = try Exposition(metrics.render())
        #expect(text.value("tenantry_batch_jobs_bucket", ["le": "8000"]) == 0)
        #expect(text.value("tenantry_batch_jobs_bucket", ["le": "16000"]) == 1)
        #expect(text.value("tenantry_batch_jobs_bucket", ["le": "20000"]) == 1)
        #expect(text.value("upload_bucket", ["le": "0.025"]) == 0)
        #expect(text.value("upload_bucket", ["le": "0.05"]) == 1)
        #expect(text.value("upload_sum") == 0.04)
    }

    @Test("Label values come back whole", arguments: ["a\"b", "a\\b", "a\nb", "\\n", "\\", "\"", "é 漢 🦆", "a,b=\"c\"}", " "])
    func escaping(value: String) throws {
        Counter(label: "x_total", dimensions: [("l", value), ("m", "n")], factory: metrics).increment()
        #expect(try Exposition(metrics.render()).value("x_total", ["l": value, "m": "n"]) == 1)
    }

    @Test("Illegal characters in names become underscores")
    func names() throws {
        Counter(label: "9 jobs.över-all", dimensions: [("1a.b:c", "x"), ("le", "y"), ("none", "")], factory: metrics).increment()
        Counter(label: "", factory: metrics).increment()
        let text = try Exposition(metrics.render())
        #expect(text.value("_9_jobs__ver_all", ["_1a_b_c": "x", "exported_le": "y"]) == 1)
        #expect(text.value("_") == 1)
    }

    @Test(
        "Numbers are written as Prometheus reads them",
        arguments: [
            (0, "0"), (-0.0, "0"), (3, "3"), (2.5, "2.5"), (1e15, "1000000000000000"), (1e22, "1e+22"), (1e-7, "1e-07"),
            (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"),
        ])
    func numbers(value: Double, text: String) throws {
        Gauge(label: "g", factory: metrics).record(value)
        #expect(metrics.render() == "# TYPE g gauge\ng \(text)\n")
    }

    @Test("The same state is the same text, in whatever order it came about")
    func order() {
        let other = PrometheusMetrics(showsProcess: false)
        let series = (0..<40).map { ("m_\($0 % 7)_total", "\($0)") }
        for (name, value) in series { Counter(label: name, dimensions: [("l", value)], factory: metrics).increment() }
        for (name, value) in series.reversed() { Counter(label: name, dimensions: [("l", value)], factory: other).increment() }
        #expect(metrics.render() == other.render())
        #expect(metrics.render() == metrics.render())
    }

    @Test("A name keeps its first type; what came as another is told in a comment and breaks nothing")
    func conflict() throws {
        Recorder(label: "jobs", factory: metrics).record(1)
        Counter(label: "jobs", factory: metrics).increment()
        Counter(label: "jobs_count", factory: metrics).increment()
        Counter(label: "x_sum", factory: metrics).increment()
        Recorder(label: "x", factory: metrics).record(1)
        let text = try Exposition(metrics.render())
        #expect(text.families.map(\.name) == ["jobs", "x_sum"])
        #expect(text.comments.count == 3)
        #expect(text.comments.contains { $0.contains("jobs_count") })
    }

    @Test("A fresh backend shows the process, in plausible numbers")
    func process() throws {
        let text = try Exposition(PrometheusMetrics().render())
        #expect(try #require(text.value("process_cpu_seconds_total")) > 0)
        #expect(try #require(text.value("process_resident_memory_bytes")) > 1_000_000)
        #expect(try #require(text.value("process_start_time_seconds")) > 1_700_000_000)
        #expect(try #require(text.value("process_open_fds")) >= 3)
        #expect(try #require(text.value("process_max_fds")) >= 64)
        #expect(text.families.allSatisfy { $0.help != nil })
    }

    @Test("A process may have blanks and parentheses in its name")
    func processName() {
        let fields = (3...30).map(String.init).joined(separator: " ")
        #expect(ProcessReading.startTicks("17 (a) b (c)) \(fields)\n") == 22)
        #expect(ProcessReading.startTicks("17 (a) 3 4") == nil)
        #expect(ProcessReading.startTicks("") == nil)
    }
}
