import Documents
import Testing

@Suite struct TextExtractorTests {
    @Test("Bytes that are not UTF-8 are refused with their place", arguments: DocumentFormat.allCases)
    func invalidEncoding(type: DocumentFormat) {
        let error = #expect(throws: ExtractionError.self) { try TextExtractor.extract([0x61, 0x62, 0xFF, 0x63], as: type) }
        #expect(error?.location == 2)
    }

    @Test("An empty document has no blocks and no chunks", arguments: DocumentFormat.allCases, ["", " \n\t\r\n ", "\u{FEFF}"])
    func empty(type: DocumentFormat, text: String) throws {
        let document = try TextExtractor.extract(Array(text.utf8), as: type)
        #expect(document.blocks.isEmpty)
        #expect(Chunker().chunks(of: document).isEmpty)
    }

    @Test(
        "Control characters are gone from every format",
        arguments: [
            (DocumentFormat.plain, "a\u{0}b\u{1}\u{1B}c"), (.markdown, "a\u{0}b\u{1}\u{1B}c"),
            (.html, "<p>a\u{0}b&#1;\u{1}&#0;\u{1B}&#127;c"),
            (.csv, "x\na\u{0}b\u{1}\u{1B}c"), (.json, #"["a\u0000b\u0001\u001bc"]"#),
        ])
    func controls(type: DocumentFormat, text: String) throws {
        let blocks = try outline(text, type)
        #expect(blocks == [type == .csv ? "x: abc" : "abc"])
    }

    @Test("Plain text is split at blank lines, whatever its line ends")
    func plain() throws {
        #expect(
            try outline("Eins.\r\nZwei.\r\n \r\nDrei ü.\r\r\rVier\u{C}fünf", .plain) == ["Eins.\nZwei.", "Drei ü.", "Vier\nfünf"])
        #expect(try outline("\u{FEFF}  indented\nless\n\n\n", .plain) == ["  indented\nless"])
    }

    @Test(
        "CSV rows become blocks of labelled lines",
        arguments: [
            ("Name,Stadt\r\nMüller,Köln\r\nMeier,Bonn\r\n", ["Name: Müller\nStadt: Köln", "Name: Meier\nStadt: Bonn"]),
            ("\u{FEFF}a,b\n\"x, \"\"y\"\"\",\"line\r\nbreak\"", ["a: x, \"y\"\nb: line\nbreak"]),
            ("a,b\n1\n1,2,3\n,\n\n,2", ["a: 1", "a: 1\nb: 2\n3", "b: 2"]),
            ("a;b\n1,5;2", ["a: 1,5\nb: 2"]),
            ("a\tb\n1\t2", ["a: 1\nb: 2"]),
            ("only,header", ["only | header"]),
            ("a\n\"open", ["a: open"]),
            ("a,b\n\"x\"y,z\"q", ["a: xy\nb: z\"q"]),
        ])
    func csv(text: String, expected: [String]) throws { #expect(try outline(text, .csv) == expected) }

    @Test(
        "JSON leaves are grouped to records under their keys",
        arguments: [
            (#"{"name":"Café","open":true,"note":null,"rank":1.50,"empty":""}"#, ["name: Café\nopen: true\nrank: 1.50"]),
            (#"[{"q":"Wer?","a":"Ich"},{"q":"Wo?"},"allein",7]"#, ["q: Wer?\na: Ich", "q: Wo?", "allein\n7"]),
            (
                #"{"id":1,"shop":{"address":{"city":"Köln"},"tags":["a","b"]},"faq":[{"q":"A"},{"q":"B"}],"last":2}"#,
                ["id: 1", "shop: address.city: Köln\ntags: a\ntags: b", "faq: q: A", "faq: q: B", "last: 2"]
            ),
            (#"[{"items":[{"n":1},{"n":2}]}]"#, ["items[0].n: 1\nitems[1].n: 2"]),
            (#"{"tags":["x","y"]}"#, ["tags: x\ny"]),
            (#""\u00e4\ud83d\ude00\ud800!\n\"""#, ["ä😀\u{FFFD}!\n\""]),
            (#"{"leer":{},"voll":[]}"#, ["leer: leer", "voll: voll"]),
            ("-1.5e+3", ["-1.5e+3"]),
        ])
    func json(text: String, expected: [String]) throws { #expect(try outline(text, .json) == expected) }

    @Test(
        "Malformed JSON is refused with its place",
        arguments: [
            ("{", 1), ("[1,]", 3), ("[1 2]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("[01]", 1), ("nul", 0), ("[1]x", 3), ("\"a", 2),
            ("[1.]", 1),
            ("[}", 1), ("\"\\x\"", 3), ("\"\\u12G4\"", 5), ("{\"a\":1,}", 7), ("\"\t\"", 2), ("[", 1),
        ])
    func malformed(text: String, place: Int) {
        let error = #expect(throws: ExtractionError.self) { try outline(text, .json) }
        #expect(error?.location == place)
    }

    @Test("JSON nested beyond reason is refused, below that it is read")
    func nesting() throws {
        let deep = { (depth: Int) in String(repeating: "[", count: depth) + "7" + String(repeating: "]", count: depth) }
        #expect(try outline(deep(512), .json).count == 1)
        #expect(throws: ExtractionError.self) { try outline(deep(513), .json) }
        #expect(throws: ExtractionError.self) { try outline(String(repeating: "{\"a\":", count: 100_000), .json) }
    }

    @Test("Labels that would blow a document up are refused")
    func blowUp() {
        let text = String(repeating: "x", count: 100_000) + "\n" + String(repeating: "1\n", count: 2_000)
        #expect(throws: ExtractionError.self) { try outline(text, .csv) }
    }
}
