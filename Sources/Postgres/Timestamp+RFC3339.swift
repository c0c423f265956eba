extension Timestamp: CustomStringConvertible {
    public var description: String { rfc3339 }

    /// UTC with milliseconds, or microseconds where there are any: `2026-11-23T01:00:00.000Z`. Source: RFC 3339.
    /// The infinite ones, which RFC 3339 does not know, are `infinity` and `-infinity`.
    public var rfc3339: String {
        guard isFinite else { return self == .distantPast ? "-infinity" : "infinity" }
        let microsecondsPerDay: Int64 = 86_400_000_000
        var days = microsecondsSince1970 / microsecondsPerDay
        var rest = microsecondsSince1970 % microsecondsPerDay
        if rest < 0 {
            rest += microsecondsPerDay
            days -= 1
        }
        let (year, month, day) = Self.civil(days: days)
        let seconds = rest / 1_000_000
        let microseconds = rest % 1_000_000
        var text: [UInt8] = []
        text.reserveCapacity(28)
        if year < 0 { text.append(UInt8(ascii: "-")) }
        Self.append(abs(year), width: 4, to: &text)
        text.append(UInt8(ascii: "-"))
        Self.append(month, width: 2, to: &text)
        text.append(UInt8(ascii: "-"))
        Self.append(day, width: 2, to: &text)
        text.append(UInt8(ascii: "T"))
        Self.append(seconds / 3600, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(seconds / 60 % 60, width: 2, to: &text)
        text.append(UInt8(ascii: ":"))
        Self.append(seconds % 60, width: 2, to: &text)
        text.append(UInt8(ascii: "."))
        if microseconds % 1000 == 0 {
            Self.append(microseconds / 1000, width: 3, to: &text)
        } else {
            Self.append(microseconds, width: 6, to: &text)
        }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads a `date-time` of RFC 3339; digits beyond microseconds are cut off. Nil if it is none.
    public init?(rfc3339 text: String) {
        var text = text
        guard let parsed = text.withUTF8({ Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = parsed
    }

    /// Reads a `date-time` of RFC 3339 from ASCII bytes.
    public init?(rfc3339 bytes: UnsafeRawBufferPointer) {
        func number(_ start: Int, _ width: Int) -> Int64? {
            guard start + width <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[start..<(start + width)] {
                guard byte &- 48 <= 9 else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            bytes[10] | 0x20 == UInt8(ascii: "t") || bytes[10] == UInt8(ascii: " "),
            bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
            let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
            1...12 ~= month, day >= 1, day <= Self.daysInMonth(month, year), hour < 24, minute < 60, second <= 60
        else { return nil }

        var position = 19
        var microseconds: Int64 = 0
        if bytes[position] == UInt8(ascii: ".") {
            position += 1
            let start = position
            var scale: Int64 = 100_000
            while position < bytes.count, bytes[position] &- 48 <= 9 {
                microseconds += Int64(bytes[position] - 48) * scale
                scale /= 10
                position += 1
            }
            guard position > start, position < bytes.count else { return nil }
        }

        var offsetMinutes: Int64 = 0
        switch bytes[position] {
        case UInt8(ascii: "Z"), UInt8(ascii: "z"):
            guard position + 1 == bytes.count else { return nil }
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            guard position + 6 == bytes.count, bytes[position + 3] == UInt8(ascii: ":"),
                let hours = number(position + 1, 2), let minutes = number(position + 4, 2), hours < 24, minutes < 60
            else { return nil }
            offsetMinutes = (hours * 60 + minutes) * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
        default:
            return nil
        }
        let seconds =
            Self.days(year: year, month: month, day: day) * 86_400 + hour * 3600 + (minute - offsetMinutes) * 60 + second
        self.init(microsecondsSince1970: seconds * 1_000_000 + microseconds)
    }

    private static func append(_ value: Int64, width: Int, to text: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while value / divisor > 9 { divisor *= 10 }
        while divisor > 0 {
            text.append(UInt8(value / divisor % 10) + 48)
            divisor /= 10
        }
    }

    private static func daysInMonth(_ month: Int64, _ year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    // Proleptic Gregorian calendar; Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March,
    // so that the leap day comes last, and 400 of them (an era) have 146,097 days.

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
