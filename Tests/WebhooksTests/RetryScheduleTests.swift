internal import Testing

@testable internal import Webhooks

@Suite struct RetryScheduleTests {
    @Test func `There are ten attempts over three days, each wait a little longer than it says`() throws {
        var generator = SystemRandomNumberGenerator()
        let said: [Double] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
        for (index, wait) in said.enumerated() {
            for _ in 0..<100 {
                let drawn = try #require(RetrySchedule.wait(after: index + 1, retryAfter: nil, using: &generator))
                #expect((wait...wait * 1.1).contains(drawn))
            }
        }
        #expect(RetrySchedule.wait(after: 10, retryAfter: 60, using: &generator) == nil)
        #expect(RetrySchedule.mostAttempts == 10)
    }

    @Test func `A receiver may ask for a longer wait, up to a day, and for no shorter one`() throws {
        var generator = SystemRandomNumberGenerator()
        #expect(RetrySchedule.wait(after: 1, retryAfter: 3_600, using: &generator) == 3_600)
        #expect(RetrySchedule.wait(after: 1, retryAfter: 1_000_000, using: &generator) == 86_400)
        #expect(try #require(RetrySchedule.wait(after: 2, retryAfter: 1, using: &generator)) >= 300)
    }

    @Test(
        arguments: [
            ("120", 120.0), ("0", 0), ("Fri, 27 Nov 2026 12:00:30 GMT", 30), ("Fri, 27 Nov 2026 11:00:00 GMT", 0),
            ("-1", nil), ("soon", nil), ("", nil), ("1.5", nil), ("99999999999", nil), ("Fri, 31 Feb 2026 12:00:00 GMT", nil),
        ] as [(String, Double?)])
    func `The header Retry-After has seconds or a date`(text: String, seconds: Double?) {
        // 2026-11-27T12:00:00Z
        #expect(RetryAfter.seconds(text, now: 1_795_780_800) == seconds)
    }
}
