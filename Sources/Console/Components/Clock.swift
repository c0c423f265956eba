internal import Foundation
internal import HTML
internal import Jobs
internal import Postgres

/// Times as an account's people read them: on the account's clock, with UTC on hover.
struct Clock: Sendable {
    private let calendar: Calendar
    let zone: String

    init(zone: String) {
        self.zone = zone
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(identifier: zone) ?? .gmt
        self.calendar = calendar
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `27 Nov 2026, 14:03`, or a dash for no time.
    func html(_ rfc3339: String?) -> HTML {
        guard let rfc3339, let date = Self.date(rfc3339) else { return HTML(text: "–") }
        return timeElement(Attribute("datetime", rfc3339), .title("\(rfc3339) (shown in \(zone))")) { text(date, withTime: true) }
    }

    /// `27 Nov 2026`
    func day(_ rfc3339: String?) -> String {
        guard let rfc3339, let date = Self.date(rfc3339) else { return "–" }
        return text(date, withTime: false)
    }

    /// `27 Nov`, for axes.
    func shortDay(_ rfc3339: String) -> String {
        guard let date = Self.date(rfc3339) else { return rfc3339 }
        let parts = calendar.dateComponents([.month, .day], from: date)
        return "\(parts.day ?? 0) \(Self.months[(parts.month ?? 1) - 1])"
    }

    /// `14:00`, for axes.
    func hour(_ rfc3339: String) -> String {
        guard let date = Self.date(rfc3339) else { return rfc3339 }
        let parts = calendar.dateComponents([.hour, .minute], from: date)
        return "\(Self.two(parts.hour ?? 0)):\(Self.two(parts.minute ?? 0))"
    }

    private func text(_ date: Date, withTime: Bool) -> String {
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute], from: date)
        let day = "\(parts.day ?? 0) \(Self.months[(parts.month ?? 1) - 1]) \(parts.year ?? 0)"
        return withTime ? "\(day), \(Self.two(parts.hour ?? 0)):\(Self.two(parts.minute ?? 0))" : day
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func date(_ rfc3339: String) -> Date? {
        Timestamp(rfc3339: rfc3339).map { Date(timeIntervalSince1970: Double($0.microsecondsSince1970) / 1_000_000) }
    }
}
