import Documents
import Testing

@Suite struct MarkdownTextTests {
    @Test(
        "Markdown becomes blocks under headings",
        arguments: [
            ("# A #\ntext\n## B\nmore\n\nlast\n# C", ["A: text", "A > B: more", "A > B: last", "C: C"]),
            (
                "Groß\n====\ntext\n\nKlein\nund fein\n---\nmehr\n\n---\nende",
                ["Groß: text", "Groß > Klein und fein: mehr", "Groß > Klein und fein: ende"]
            ),
            ("```swift\n# no heading\n  x\n\n\ny\n```\nnach", ["# no heading\n  x\n\n\ny", "nach"]),
            ("~~~~\n~~~\n```\n~~~~\nx", ["~~~\n```", "x"]),
            ("```\nopen", ["open"]),
            ("#hashtag\n####### seven", ["#hashtag ####### seven"]),
            (
                "Liste:\n- eins\n  weiter\n* zwei\n\n- drei\n   1. vier\n\nText",
                ["Liste:\n- eins weiter\n- zwei\n- drei\n   1. vier", "Text"]
            ),
            ("| a | b |\n|---|:-:|\n| 1 | 2 |\n|3|4|\n\nx", ["a | b\n1 | 2\n3 | 4", "x"]),
            ("Im Jahr\n1986. war es", ["Im Jahr 1986. war es"]),
            ("> Zitat\n> weiter\n\n    code\n      more\n\nx", ["Zitat weiter", "code\n  more", "x"]),
            ("weich\nzusammen  \nhart\\\nnoch", ["weich zusammen\nhart\nnoch"]),
            ("[ref]: http://example.org \"T\"\nText", ["Text"]),
            ("[^1]: Fußnote", ["[^1]: Fußnote"]),
            ("- a\n\n```\n# b\n```", ["- a", "# b"]),
        ])
    func blocks(markdown: String, expected: [String]) throws { #expect(try outline(markdown, .markdown) == expected) }

    @Test(
        "Inline markup goes, its text stays",
        arguments: [
            ("**fett** *kursiv* __auch__ _so_ ~~weg~~ `code *x*`", "fett kursiv auch so weg code *x*"),
            ("[Text](http://a.b/c_(d) \"T\") ![Bild](x.png) [eins][2] [offen]", "Text Bild eins [offen]"),
            ("[![alt](i.png)](link)", "alt"),
            ("snake_case 2*3 a * b ~5", "snake_case 2*3 a * b ~5"),
            ("\\*stern\\* C:\\dir", "*stern* C:\\dir"),
            ("<https://example.org> <b>x</b> a < b <!-- weg -->&amp; &lt;", "https://example.org x a < b & <"),
            ("``a ` b`` `offen", "a ` b `offen"),
            ("a<br>b", "a\nb"),
        ])
    func inline(markdown: String, expected: String) throws { #expect(try outline(markdown, .markdown) == [expected]) }

    @Test("Front matter gives the title and nothing else")
    func frontMatter() throws {
        let document = try TextExtractor.extract(
            Array("---\ntags: [a]\ntitle: \"Öffnungszeiten\"\n---\n# H\nx".utf8), as: .markdown)
        #expect(document.title == "Öffnungszeiten")
        #expect(document.blocks == [TextBlock(headingPath: ["H"], text: "x")])
    }

    @Test("Front matter that is not closed is text, and the first heading the title")
    func noFrontMatter() throws {
        let document = try TextExtractor.extract(Array("---\n# H\nx".utf8), as: .markdown)
        #expect(document.title == "H")
        #expect(document.blocks.map(\.text) == ["x"])
    }

    @Test("Opening marks without their ends are text", arguments: ["[", "](", "<a ", "![", "[x]("])
    func hostile(mark: String) throws {
        let text = String(repeating: mark, count: 20_000)
        #expect(try outline(text, .markdown) == [text.last == " " ? String(text.dropLast()) : text])
    }
}
