/// Date-times of RFC 3339, section 5.6, as microseconds since 1970-01-01T00:00:00Z.
public enum RFC3339 {
    /// Reads `2026-11-23T01:00:00.123456+01:00`: any offset, any number of fractional digits (those after the sixth are cut off),
    /// small `t` and `z` too. A leap second, 23:59:60 UTC, is the first second of the next day. Anything else is nil.
    public static func microseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
        guard text.count >= 20, text[4] == Ascii.minus, text[7] == Ascii.minus, text[10] | 0x20 == Ascii.t,
            text[13] == Ascii.colon, text[16] == Ascii.colon,
            let century = pair(text, 0), let yearOfCentury = pair(text, 2), let month = pair(text, 5), let day = pair(text, 8),
            let hour = pair(text, 11), let minute = pair(text, 14), let second = pair(text, 17)
        else { return nil }
        let year = century * 100 + yearOfCentury
        guard 1...12 ~= month, day >= 1, day <= days(inMonth: month, year: year), hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        var position = 19
        guard let fraction = fraction(text, &position), let offsetMinutes = offset(text, &position), position == text.count else {
            return nil
        }
        let minutes = (daysSince1970(year, month, day) * 24 + hour) * 60 + minute - offsetMinutes
        if second == 60 {
            let minuteOfDay = ((minutes % 1440) + 1440) % 1440
            guard minuteOfDay == 1439 else { return nil }
        }
        return (minutes * 60 + second) * 1_000_000 + fraction
    }

    /// As the other one, from text.
    public static func microseconds(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { microseconds(UnsafeRawBufferPointer($0)) }
    }

    /// `2026-11-23T01:00:00.000Z`; six fractional digits where three would lose something.
    public static func text(_ microseconds: Int64) -> String {
        let second = floorDivide(microseconds, 1_000_000)
        let fraction = microseconds - second * 1_000_000
        let day = floorDivide(second, 86_400)
        let secondOfDay = second - day * 86_400
        let (year, month, dayOfMonth) = civil(day)
        let isWhole = fraction % 1000 == 0
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T\(padded(secondOfDay / 3600, 2)):"
            + "\(padded(secondOfDay / 60 % 60, 2)):\(padded(secondOfDay % 60, 2))."
            + "\(isWhole ? padded(fraction / 1000, 3) : padded(fraction, 6))Z"
    }

    @inline(__always)
    private static func pair(_ text: UnsafeRawBufferPointer, _ index: Int) -> Int64? {
        let tens = text[index] &- Ascii.zero
        let ones = text[index + 1] &- Ascii.zero
        guard tens < 10, ones < 10 else { return nil }
        return Int64(tens) * 10 + Int64(ones)
    }

    private static func fraction(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int64? {
        guard text[position] == Ascii.dot else { return 0 }
        position += 1
        let first = position
        var value: Int64 = 0
        var unit: Int64 = 100_000
        while position < text.count, Ascii.isDigit(text[position]) {
            value += Int64(text[position] - Ascii.zero) * unit
            unit /= 10
            position += 1
        }
        return position > first ? value : nil
    }

    private static func offset(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> Int64? {
        guard position < text.count else { return nil }
        let sign = text[position]
        if sign | 0x20 == Ascii.z {
            position += 1
            return 0
        }
        guard sign == Ascii.plus || sign == Ascii.minus, position + 6 <= text.count, text[position + 3] == Ascii.colon,
            let hours = pair(text, position + 1), let minutes = pair(text, position + 4), hours < 24, minutes < 60
        else { return nil }
        position += 6
        return sign == Ascii.minus ? -(hours * 60 + minutes) : hours * 60 + minutes
    }

    private static func days(inMonth month: Int64, year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days from civil date, proleptic Gregorian (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// The way back, from the same paper.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : (value + 1) / divisor - 1
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(abs(value))
        return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
