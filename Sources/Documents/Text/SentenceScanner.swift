/// Finds where sentences end, by rules that hold for most languages written in Latin, Cyrillic, Greek and Han script.
enum SentenceScanner {
    /// The end of the sentence that begins at `start`, its trailing blanks included.
    static func end(of bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var position = start
        while position < bytes.count {
            guard let mark = terminator(bytes, at: position) else {
                position += 1
                continue
            }
            let markStart = position
            position = afterClosers(bytes, from: position + mark.length)
            if mark.isWide { return afterBlanks(bytes, from: position) }
            guard position == bytes.count || bytes[position].isBlank else { continue }
            let next = afterBlanks(bytes, from: position)
            if next < bytes.count, isLowercase(bytes, at: next) { continue }
            if bytes[markStart] == UInt8(ascii: "."), isAbbreviation(bytes, dot: markStart, sentence: start) { continue }
            return next
        }
        return bytes.count
    }

    /// A mark that ends a sentence; a wide one (。！？) needs no space after it.
    private static func terminator(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> (length: Int, isWide: Bool)? {
        switch bytes[position] {
        case UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"):
            return (1, false)
        case 0xE2 where matches(bytes, at: position, 0x80, 0xA6):
            return (3, false)
        case 0xE3 where matches(bytes, at: position, 0x80, 0x82):
            return (3, true)
        case 0xEF where matches(bytes, at: position, 0xBC, 0x81) || matches(bytes, at: position, 0xBC, 0x9F):
            return (3, true)
        default:
            return nil
        }
    }

    private static func matches(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int, _ second: UInt8, _ third: UInt8) -> Bool {
        position + 2 < bytes.count && bytes[position + 1] == second && bytes[position + 2] == third
    }

    /// Behind quotation marks, brackets and further marks: `?!`, `."`, `.)`, `。」`.
    private static func afterClosers(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var position = start
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"),
                UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "?"):
                position += 1
            case 0xC2 where position + 1 < bytes.count && bytes[position + 1] == 0xBB:
                position += 2
            case 0xE2
            where position + 2 < bytes.count && bytes[position + 1] == 0x80 && (0x98...0x9F).contains(bytes[position + 2]):
                position += 3
            case 0xE3 where matches(bytes, at: position, 0x80, 0x8D) || matches(bytes, at: position, 0x80, 0x8F):
                position += 3
            default:
                return position
            }
        }
        return position
    }

    private static func afterBlanks(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var position = start
        while position < bytes.count, bytes[position].isBlank { position += 1 }
        return position
    }

    /// ASCII and Latin-1 small letters: a sentence does not begin with one, so the mark before stood inside.
    private static func isLowercase(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> Bool {
        bytes[position].isLowercase || (bytes[position] == 0xC3 && position + 1 < bytes.count && bytes[position + 1] >= 0x9F)
    }

    /// Initials (`z. B.`, `e.g.`), ordinals (`3. Mai`) and the words of the list below.
    private static func isAbbreviation(_ bytes: UnsafeBufferPointer<UInt8>, dot: Int, sentence: Int) -> Bool {
        var start = dot
        while start > sentence, dot - start <= longestAbbreviation, bytes[start - 1].isLetter || bytes[start - 1].isDigit {
            start -= 1
        }
        let length = dot - start
        guard (1...longestAbbreviation).contains(length) else { return false }
        if start > sentence, bytes[start - 1] >= 0x80 { return false }
        if bytes[start].isDigit { return length <= 2 }
        if length == 1 { return true }
        let word = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<dot]), as: UTF8.self)
        return abbreviations.contains(word.lowercased())
    }

    private static let longestAbbreviation = 6

    /// Abbreviations that a capital or a number commonly follows; before small letters no rule is needed.
    private static let abbreviations: Set<String> = [
        "dr", "mr", "mrs", "ms", "prof", "st", "sr", "jr", "vs", "cf", "fig", "vol", "dept", "approx", "gen", "gov", "sen", "rev",
        "capt",
        "eg", "ie", "nr", "abb", "abs", "art", "bd", "bzw", "ca", "dipl", "ing", "evtl", "ggf", "hr", "fr", "hrsg", "inkl",
        "mind", "mio",
        "mrd", "str", "tel", "vgl", "zzgl", "geb", "sog", "kap", "mme", "mlle", "sra", "dra", "av", "pag", "jan", "feb", "apr",
        "aug", "sep",
        "sept", "oct", "okt", "nov", "dec", "dez",
    ]
}
