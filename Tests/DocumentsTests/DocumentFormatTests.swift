import Documents
import Testing

@Suite struct DocumentFormatTests {
    @Test(
        "A media type is known whatever its case and parameters",
        arguments: [
            ("text/plain", DocumentFormat.plain), ("Text/Markdown; charset=UTF-8", .markdown), ("TEXT/HTML;charset=utf-8", .html),
            (" application/json ", .json), ("text/csv; header=present", .csv),
        ])
    func known(name: String, expected: DocumentFormat) { #expect(DocumentFormat(mediaType: name) == expected) }

    @Test(
        "A media type that is not taken is nil",
        arguments: ["", "text", "application/pdf", "text/plainer", "image/png; text/plain"])
    func unknown(name: String) { #expect(DocumentFormat(mediaType: name) == nil) }
}
