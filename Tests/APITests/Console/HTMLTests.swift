internal import Contract
internal import Foundation
internal import NIOCore
internal import Testing

@testable internal import Console
@testable internal import HTML

/// The pieces that pages are made of.
@Suite struct HTMLTests {
    @Test func `A text is escaped wherever it stands`() {
        let hostile = "<script>alert(1)</script>\" onerror='x' &amp; \u{0}\u{8}"
        let markup = div(.class(hostile), .title(hostile), Attribute("data-copy", hostile)) {
            hostile
            p { hostile }
        }.markup
        #expect(
            !markup.contains("<script") && !markup.contains("\" onerror") && !markup.contains("\u{0}")
                && !markup.contains("\u{8}"))
        #expect(markup.components(separatedBy: "&lt;script&gt;alert(1)&lt;/script&gt;").count == 6)
        #expect(markup.contains("&amp;amp;") && markup.contains("&#39;x&#39;"))
    }

    @Test(arguments: [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil.example",
        "/\\evil.example", "vbscript:x", "",
    ])
    func `A link leads to this site or to the web, and to no script`(place: String) {
        #expect(a(.href(place)) { "x" }.markup == "<a href=\"#\">x</a>")
    }

    @Test func `Paths, fragments and addresses of the web are kept, whatever is in them`() {
        #expect(a(.href("/tenants/a?q=1&b=2")) { "x" }.markup == "<a href=\"/tenants/a?q=1&amp;b=2\">x</a>")
        #expect(a(.href("#main")) { "x" }.markup == "<a href=\"#main\">x</a>")
        #expect(
            a(.href("https://a.example/\"><script>")) { "x" }.markup
                == "<a href=\"https://a.example/&quot;&gt;&lt;script&gt;\">x</a>")
    }

    @Test func `Void elements have no end, attributes that are not there leave nothing`() {
        #expect(input(.type("text"), nil, .flag("required", false), .flag("hidden")).markup == "<input type=\"text\" hidden>")
        #expect(p().markup == "<p></p>")
    }

    @Test func `Marks that turn or hide what they stand beside are shown; joiners of scripts and emoji stay`() {
        #expect(Format.written("abc").markup == "<bdi>abc</bdi>")
        let markup = Format.written("a\u{202E}b\u{200B}c\u{FEFF}").markup
        #expect(markup.contains("U+202E") && markup.contains("U+200B") && markup.contains("U+FEFF"))
        #expect(!markup.contains("\u{202E}") && !markup.contains("\u{200B}"))
        let family = "👩‍👩‍👧 نمی‌خواهم"
        #expect(Format.written(family).markup == "<bdi>\(family)</bdi>")
    }

    @Test func `Numbers are grouped`() {
        #expect(Format.number(0) == "0" && Format.number(999) == "999" && Format.number(1_000) == "1,000")
        #expect(Format.number(-1_234_567) == "−1,234,567" && Format.number(.min) == "−9,223,372,036,854,775,808")
        #expect(Format.real(0.04) == "0" && Format.real(12.34) == "12.3" && Format.real(1_234.5) == "1,235")
        #expect(Format.bytes(2_345_678) == "2.3 MB" && Format.seconds(0.25) == "250 ms" && Format.seconds(7_300) == "2 h")
    }

    @Test func `A word of a command is quoted as a shell needs it`() {
        #expect(Command.line(["a-b", "it's", "", "x y"]) == "a-b 'it'\\''s' '' 'x y'")
        #expect(
            Command.enqueue(.tenantSuspend, tenant: "shop", ["reason": "$(rm)"])
                == "tenantry enqueue tenant.suspend --tenant shop --wait --payload '{\"reason\":\"$(rm)\"}'")
    }

    @Test func `Times are on the account's clock, also where it is changed`() {
        let berlin = Clock(zone: "Europe/Berlin")
        #expect(berlin.html("2026-10-25T00:30:00Z").markup.contains(">25 Oct 2026, 02:30<"))
        #expect(berlin.html("2026-10-25T01:30:00Z").markup.contains(">25 Oct 2026, 02:30<"))
        #expect(berlin.html("2026-11-30T23:30:00Z").markup.contains("title=\"2026-11-30T23:30:00Z (shown in Europe/Berlin)\""))
        #expect(berlin.day("2026-11-30T23:30:00Z") == "1 Dec 2026")
        #expect(
            berlin.begin(of: "2026-10-25") == "2026-10-24T22:00:00.000Z"
                && berlin.begin(of: "2026-10-25", plus: 1) == "2026-10-25T23:00:00.000Z")
        #expect(Clock(zone: "America/Sao_Paulo").begin(of: "2017-10-15") == "2017-10-15T03:00:00.000Z")
        #expect(berlin.begin(of: "2026-13-01") == nil && berlin.begin(of: "soon") == nil && berlin.begin(of: "") == nil)
        #expect(Clock(zone: "No/Where").day("2026-11-30T23:30:00Z") == "30 Nov 2026")
        #expect(berlin.html(nil).markup == "–" && berlin.html("nonsense").markup == "–")
    }
}

/// What forms send.
@Suite struct FormDataTests {
    private func multipart(_ text: String, boundary: String = "xyz") -> FormData? {
        FormData(ByteBuffer(string: text.replacing("\n", with: "\r\n")), contentType: "multipart/form-data; boundary=\(boundary)")
    }

    @Test func `Fields of an ordinary form`() throws {
        let form = try #require(FormData(ByteBuffer(string: "a=1&b=+x%20y+&c=&a=2&d=%C3%A9"), contentType: nil))
        #expect(
            form["a"] == "1" && form.all("a") == ["1", "2"] && form["b"] == "x y" && form.raw("b") == " x y " && form["c"] == nil)
        #expect(form["d"] == "é" && form["none"] == nil)
        #expect(FormData(ByteBuffer(string: "a=%FF"), contentType: nil) == nil)
        #expect(FormData(ByteBuffer(string: "a=%00"), contentType: nil) == nil)
    }

    @Test func `A form with a file, whose bytes are kept as they are`() throws {
        let form = try #require(
            multipart(
                """
                --xyz
                Content-Disposition: form-data; name="title"

                A title
                --xyz
                content-disposition: form-data; name="file"; filename="a %22b%22.md"
                Content-Type: text/markdown

                # One
                --xy
                --xyz--

                """))
        #expect(form["title"] == "A title")
        #expect(form.file?.name == "a \"b\".md" && form.file?.mediaType == "text/markdown")
        #expect(form.file.map { String(decoding: $0.bytes, as: UTF8.self) } == "# One\r\n--xy")
    }

    @Test func `An empty file field is no file`() throws {
        let form = try #require(
            multipart(
                "--xyz\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\nContent-Type: application/octet-stream\n\n\n--xyz--\n"
            ))
        #expect(form.file == nil)
    }

    @Test(arguments: [
        "", "--xyz", "--xyz\n", "--xyz\nContent-Disposition: form-data; name=\"a\"",
        "--xyz\nContent-Disposition: form-data; name=\"a\"\n\nvalue",
        "--xyz\n\n\nvalue\n--xyz--\n", "--xyz\nContent-Disposition: form-data\n\nvalue\n--xyz--\n", "no boundary at all",
    ])
    func `What is no such form is refused, wherever it breaks off`(text: String) {
        #expect(multipart(text) == nil)
    }

    @Test func `Random bytes are read or refused, and never more is kept than was sent`() {
        var seed: UInt64 = 20_261_127
        func next() -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return seed >> 33
        }
        let pieces = [
            "--xyz", "\r\n", "\r\n\r\n", "Content-Disposition: form-data; name=\"a\"", "; filename=\"b\"", "--", "x", "\u{0}",
            "é", "\"",
        ]
        for _ in 0..<3_000 {
            let text = (0..<(next() % 24)).map { _ in pieces[Int(next() % UInt64(pieces.count))] }.joined()
            guard let form = FormData(ByteBuffer(string: text), contentType: "multipart/form-data; boundary=xyz") else {
                continue
            }
            let kept = form.values.reduce(0) { $0 + $1.value.utf8.count } + (form.file?.bytes.count ?? 0)
            #expect(kept <= text.utf8.count)
        }
    }

    @Test func `What would make an object of another is a merge patch`() {
        let patch = SettingsPages.difference(
            from: ["a": 1, "b": ["c": 1, "d": 2], "e": "x"], to: ["a": 1, "b": ["c": 3], "f": [1, 2]])
        #expect(patch == ["b": ["c": 3, "d": .null], "e": .null, "f": [1, 2]])
        #expect(SettingsPages.difference(from: ["a": 1], to: ["a": 1]).isEmpty)
    }
}
