internal import Jobs
internal import Postgres
internal import Testing

/// Where pages begin.
@Suite struct PageStartTests {
    @Test("A position is read as it was written; without one, or with one that is none, a page begins at the start")
    func values() {
        let start = PageStart(after: ["2026-01-02T03:04:05.000006Z", "7", "0B8F1C1E-0000-4000-8000-00000000000f", "x"])
        #expect(start.time(0).rfc3339 == "2026-01-02T03:04:05.000006Z" && start.ascendingTime(0) == start.time(0))
        #expect(start.number(1) == 7 && start.text(3) == "x")
        #expect(start.uuid(2) == "0B8F1C1E-0000-4000-8000-00000000000f")
        for none in [
            PageStart(after: nil), PageStart(after: []), PageStart(after: ["\0", "\0", "\0"]), PageStart(after: ["'", "'", "'"]),
        ] {
            #expect(none.time(0) == .distantFuture && none.ascendingTime(0) == .distantPast && none.number(1) == .max)
            #expect(none.uuid(2) == "ffffffff-ffff-ffff-ffff-ffffffffffff")
        }
        #expect(PageStart(after: ["a\0b"]).text(0) == "")
    }
}
