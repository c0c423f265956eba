internal import FoundationEssentials
internal import Glibc

/// What Linux says about this process. Source: proc(5), clock(3).
enum ProcessReading {
    static func cpuSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

    /// The second number of `statm`, in pages.
    static func residentBytes() -> Int64? {
        guard let pages = contents("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap({ Int64($0) }) else {
            return nil
        }
        return pages * Int64(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Seconds since 1970, read once: it is kept in ticks since boot, and the boot's own time moves with the clock.
    static let startTimeSeconds: Double? = {
        guard let ticks = contents("/proc/self/stat").flatMap(startTicks) else { return nil }
        guard let uptime = contents("/proc/uptime")?.split(separator: " ").first.flatMap({ Double($0) }) else { return nil }
        return Date().timeIntervalSince1970 - uptime + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }()

    /// Without the descriptor that is open to count them.
    static func openDescriptors() -> Int64? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var entries: Int64 = 0
        while readdir(directory) != nil { entries += 1 }
        // "." and ".." are entries too.
        return max(0, entries - 3)
    }

    static func descriptorLimit() -> Int64? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int64(clamping: limit.rlim_cur)
    }

    /// Field 22 of `stat`; the name in field 2 may hold blanks and parentheses, so counting starts after its last `)`.
    static func startTicks(_ stat: String) -> Double? {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? Double(fields[19]) : nil
    }

    private static func contents(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
