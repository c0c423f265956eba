internal import Jobs
internal import Postgres
internal import Testing

@Suite struct TimestampTextTests {
    @Test(
        "RFC 3339 is read and written",
        arguments: [
            ("2026-11-23T01:00:00Z", "2026-11-23T01:00:00.000Z"),
            ("2026-11-23t01:00:00.5z", "2026-11-23T01:00:00.500Z"),
            ("2026-11-23T01:00:00.1234567+01:30", "2026-11-22T23:30:00.123456Z"),
            ("2024-02-29T23:59:60Z", "2024-03-01T00:00:00.000Z"),
            ("1969-12-31T23:59:59.999-00:00", "1969-12-31T23:59:59.999Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ])
    func readAndWritten(text: String, expected: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == expected)
    }

    @Test(
        "What is no RFC 3339 is refused",
        arguments: [
            "", "2026-11-23", "2026-11-23T01:00:00", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-23T24:00:00Z",
            "2026-11-23T01:00:00.Z", "2026-11-23T01:00:00.5", "2026-11-23T01:00:00+0100", "2026-11-23T01:00:00Zx",
            "+026-11-23T01:00:00Z", "2026-11-23T01:00:60Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("What RFC 3339 has no words for is written all the same: infinity, and the years before 0")
    func beyond() {
        #expect(Timestamp.distantFuture.rfc3339 == "infinity" && Timestamp.distantPast.rfc3339 == "-infinity")
        // 15 March 44 BC
        #expect(Timestamp(seconds: -63_517_824_000).rfc3339 == "-0043-03-15T00:00:00.000Z")
    }
}
