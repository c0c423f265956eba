/// The names that Prometheus's client libraries agreed on for every process.
///
/// Source: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
extension PrometheusMetrics {
    private enum Name {
        static let cpu = "process_cpu_seconds_total"
        static let resident = "process_resident_memory_bytes"
        static let start = "process_start_time_seconds"
        static let open = "process_open_fds"
        static let limit = "process_max_fds"
    }

    func describeProcess() {
        describe(Name.cpu, "User and system CPU time spent, in seconds.")
        describe(Name.resident, "Resident memory size in bytes.")
        describe(Name.start, "When the process started, in seconds since 1970-01-01T00:00:00Z.")
        describe(Name.open, "Open file descriptors.")
        describe(Name.limit, "The most file descriptors the process may open.")
    }

    /// Brings them up to date; what the system does not tell is not shown.
    func readProcess() {
        counter(Name.cpu).raise(to: ProcessReading.cpuSeconds())
        if let bytes = ProcessReading.residentBytes() { gauge(Name.resident).set(bytes) }
        if let start = ProcessReading.startTimeSeconds { gauge(Name.start).set(start) }
        if let open = ProcessReading.openDescriptors() { gauge(Name.open).set(open) }
        if let limit = ProcessReading.descriptorLimit() { gauge(Name.limit).set(limit) }
    }
}
