import Documents
import Testing

@Suite struct MediaTypeTests {
    @Test(
        "A media type is known whatever its case and parameters",
        arguments: [
            ("text/plain", MediaType.plain), ("Text/Markdown; charset=UTF-8", .markdown), ("TEXT/HTML;charset=utf-8", .html),
            (" application/json ", .json), ("text/csv; header=present", .csv),
        ])
    func known(name: String, expected: MediaType) { #expect(MediaType(name) == expected) }

    @Test(
        "A media type that is not taken is nil",
        arguments: ["", "text", "application/pdf", "text/plainer", "image/png; text/plain"])
    func unknown(name: String) { #expect(MediaType(name) == nil) }
}
