internal import Contract
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

    /// When a day that was typed begins on this clock, or some days later; nil: it is none.
    ///
    /// - Parameter day: `2026-11-27`.
    func begin(of day: String, plus days: Int = 0) -> String? {
        let parts = day.split(separator: "-", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard parts.count == 3, (1970...9999).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2]),
            let noon = calendar.date(from: DateComponents(year: parts[0], month: parts[1], day: parts[2], hour: 12)),
            let wanted = calendar.date(byAdding: .day, value: days, to: noon)
        else { return nil }
        // At midnight a clock may be changed: a day begins with its first moment that there is.
        return RFC3339.text(Int64(calendar.startOfDay(for: wanted).timeIntervalSince1970) * 1_000_000)
    }

    /// How long ago something was; nil for no time.
    func seconds(since rfc3339: String) -> Double? { Self.date(rfc3339).map { Date().timeIntervalSince($0) } }

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
