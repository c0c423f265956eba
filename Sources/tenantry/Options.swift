internal import ArgumentParser
internal import Contract
internal import Glibc
internal import Jobs
internal import Postgres

/// A count on the command line: 1 or more.
struct Count: ExpressibleByArgument {
    let value: Int

    init(_ value: Int) {
        self.value = value
    }

    init?(argument: String) {
        guard let value = Int(argument), value > 0 else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "\(value)" }
}

/// Seconds on the command line: from 0 to a year.
struct Seconds: ExpressibleByArgument {
    let value: Double

    init(_ value: Double) {
        self.value = value
    }

    init?(argument: String) {
        guard let value = Double(argument), (0...31_536_000).contains(value) else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "\(Int(value))" }
}

/// A TCP port on the command line; 0 leaves the choice to the system.
struct Port: ExpressibleByArgument {
    let value: Int

    init(_ value: Int) {
        self.value = value
    }

    init?(argument: String) {
        guard let value = UInt16(argument) else { return nil }
        self.value = Int(value)
    }

    var defaultValueDescription: String { "\(value)" }
}

/// A time on the command line: RFC 3339.
struct Moment: ExpressibleByArgument {
    let time: Timestamp

    init?(argument: String) {
        guard let time = Timestamp(rfc3339: argument) else { return nil }
        self.time = time
    }
}

/// A word out of a list on the command line.
struct Choice<Word: ClosedWord>: ExpressibleByArgument {
    let word: Word

    init?(argument: String) {
        guard let word = Word(rawValue: argument) else { return nil }
        self.word = word
    }

    static var allValueStrings: [String] { Word.allCases.map(\.rawValue) }
}

/// What the system says about an `errno`.
func systemError(_ number: Int32 = errno) -> String {
    String(cString: strerror(number))
}
