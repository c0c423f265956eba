import Documents
import Testing

@Suite struct HTMLTextTests {
    @Test(
        "HTML becomes the text a reader sees",
        arguments: [
            (
                "<p>Ein  <b>fetter</b>\n Satz.</p><p>Noch&nbsp;einer &amp; &uuml;ber&shy;lang &#8364; &lt;x&gt;",
                ["Ein fetter Satz.", "Noch einer & überlang € <x>"]
            ),
            ("<h1>A</h1><p>x</p><h2>B</h2><p>y<h3>C</h3>z<h2>D</h2>w", ["A: x", "A > B: y", "A > B > C: z", "A > D: w"]),
            ("<h1>A<h2>B</h2><h2>C</h2>", ["A > B: B", "A > C: C"]),
            ("<ul><li>eins<li><p>zwei</p><ul><li>drei</li></ul></li></ul>nach", ["- eins\n- zwei\n- drei", "nach"]),
            (
                "<table><thead><tr><th>Name<th>Ort</thead><tr><td><p>M</p><td>K\n</tr><tr><td></td><td>B</td></tr></table>",
                ["Name | Ort\nM | K\n| B"]
            ),
            ("a<br>b<br/>c", ["a\nb\nc"]),
            ("<pre>\n  if x {\n    y  z\n  }\n</pre>", ["  if x {\n    y  z\n  }"]),
            (
                "<script>var a='<p>no'</script><style>p{}</style><nav><a>no</a></nav><template>no</template>yes",

                ["yes"]
            ),
            ("<dl><dt>Wort<dd>Sinn</dl>", ["Wort\nSinn"]),
            ("<div>a<div>b</div>c</div>", ["a", "b", "c"]),
            ("a < b und c<d", ["a < b und c"]),
            ("<meta charset=iso-8859-1><p>Größe 漢字 😀", ["Größe 漢字 😀"]),
            ("<!-- a > b --><!-->eins<!--->zwei<!-- x --!><!DOCTYPE html><![CDATA[x]]>drei<!-- offen", ["einszweidrei"]),
            ("<a title='a > b' href=x>y</a><b x=\">z", ["yz"]),
            ("<SCRIPT>if (a</b/.test('</scripty>')) '<p>'</ScRiPt >x<p title=\"it's\">y</p>", ["x", "y"]),
            ("R&D &auml;&Auml; &unknown; &#228;&#xe4; &# &#x &apos;x&apos; a&b=c &", ["R&D äÄ &unknown; ää &# &#x 'x' a&b=c &"]),
            ("1<2 <_x> <3 <my-card data-x='1'>z</my-card>", ["1<2 <_x> <3 z"]),
            ("a&#13;b<pre>c&#x0D;d&#127;</pre>", ["a b", "c\nd"]),
            ("<?xml version='1.0' encoding='latin1'?><p>ü", ["ü"]),
        ])
    func reads(html: String, expected: [String]) throws { #expect(try outline(html, .html) == expected) }

    @Test("Entities of the document's own are not expanded, and nothing is read from outside")
    func entities() throws {
        let html =
            "<!DOCTYPE x [<!ENTITY a 'b'><!ENTITY f SYSTEM 'file:///etc/passwd'>]><p>&a; &f;</p><iframe src='file:///etc/passwd'>"
        #expect(try outline(html, .html).last == "&a; &f;")
    }

    @Test("The head's title is the document's, not its text")
    func title() throws {
        let document = try TextExtractor.extract(
            Array("<html><head><title> Über\n uns </title></head><body><svg><title>no</title></svg><h1>H</h1>x".utf8), as: .html)
        #expect(document.title == "Über uns")
        #expect(document.blocks == [TextBlock(headingPath: ["H"], text: "x")])
    }

    @Test("A heading too long to be one is shortened, and its text kept")
    func longHeading() throws {
        let long = String(repeating: "ä", count: 100)
        let document = try TextExtractor.extract(Array("<h1>\(long)</h1><p>x".utf8), as: .html)
        #expect(document.blocks.map(\.text) == [long, "x"])
        #expect(document.blocks[1].headingPath == [String(repeating: "ä", count: 60) + "…"])
    }

    @Test("Depth costs no stack, and stray marks no time")
    func hostile() throws {
        #expect(try outline(String(repeating: "<div>", count: 100_000) + "tief", .html) == ["tief"])
        #expect(try outline(String(repeating: "<ul><li>", count: 50_000) + "tief", .html) == ["- tief"])
        #expect(try outline(String(repeating: "<", count: 100_000), .html) == [String(repeating: "<", count: 100_000)])
    }

    @Test("A tag with more different attributes than anyone writes is read like any other")
    func attributes() throws {
        let tag = "<a " + (0..<20_000).map { "name\($0)=''" }.joined(separator: " ") + ">"
        #expect(try outline(tag + "<my-card>x</my-card>", .html) == ["x"])
        #expect(try outline(tag + "<h3>&Ouml;l</h3><table><tr><td>a<td>b</table>", .html) == ["Öl: a | b"])
    }

    @Test("Stray end tags below very many open elements are refused")
    func strayEnds() {
        let html = String(repeating: "<section>", count: 50_000) + String(repeating: "</aside>", count: 50_000)
        #expect(throws: ExtractionError.self) { try outline(html, .html) }
    }
}
