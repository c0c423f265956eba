import Contract
import Testing

@Suite("Text of others for terminals and logs") struct PrintableTextTests {
    @Test(
        "What would steer a terminal, begin a line or turn a direction is written out; what shows itself stays",
        arguments: [
            ("plain ä 漢 🙂👩‍👩‍👧", "plain ä 漢 🙂👩‍👩‍👧"), ("\u{1B}[31mred\u{1B}[0m", #"\u001b[31mred\u001b[0m"#),
            ("a\nb\tc", #"a\u000ab\u0009c"#),
            ("\u{9B}2J", #"\u009b2J"#), ("a\u{7F}\u{08}b", #"a\u007f\u0008b"#), ("abc\u{202E}gpj.exe", #"abc\u202egpj.exe"#),
            ("\u{2028}x\u{2066}y", #"\u2028x\u2066y"#), ("", ""), ("\0", #"\u0000"#),
        ])
    func escaped(_ text: String, _ expected: String) {
        #expect(PrintableText.escaped(text, keepsLines: false) == expected)
        #expect(PrintableText.isPrintable(text) == (text == expected))
    }

    @Test("Lines and tabs stay where asked for, and JSON stays the same document")
    func lines() throws {
        #expect(PrintableText.escaped("a\tb\n\u{1B}c", keepsLines: true) == "a\tb\n\\u001bc")
        let document: JSONValue = ["name": "x\u{9B}2J\u{202E}y"]
        let shown = PrintableText.escaped(document.pretty(), keepsLines: true)
        #expect(!shown.unicodeScalars.contains("\u{9B}") && !shown.unicodeScalars.contains("\u{202E}"))
        #expect(try JSONValue(parsing: Array(shown.utf8)) == document)
    }
}
