internal import CLibXML2

/// What an HTML document is made of, in order. Starts and ends are balanced, also where the document's are not.
protocol HTMLEvents: AnyObject {
    /// - Parameter element: the lower-case name.
    func start(_ element: String)
    func end(_ element: String)
    func text(_ bytes: UnsafeBufferPointer<UInt8>)
    /// Whether enough was read.
    var isFinished: Bool { get }
}

/// libxml2's HTML parser through its SAX interface
/// (<https://gnome.pages.gitlab.gnome.org/libxml2/devhelp/libxml2-HTMLparser.html>).
///
/// No tree is built, so depth costs no stack. It reads nothing but the bytes given, and it knows no entities but HTML's own. Two
/// of its loops are quadratic on hostile input, and are bounded here: the search for repeated attributes (a tag with a million
/// different ones) by a limit on names, the search for the start of a stray end tag (below a million open elements) by
/// `maximumSteps`.
final class HTMLParser {
    /// Bytes of different names that a document may use; names beyond that are dropped, those of HTML are there already.
    ///
    /// libxml2 asks only when it takes a further pool, so these come to 21,000 and 5,000. Pages stay far below; what is larger than a
    /// page is an export, with few names and many of each, and the time for a hostile one grows with size times names.
    private static func maximumNameBytes(documentBytes: Int) -> Int { documentBytes <= 2 << 20 ? 6000 : 4000 }
    private static let maximumSteps = 300_000_000

    private let context: htmlParserCtxtPtr
    private let events: any HTMLEvents
    private var depth = 0
    private var steps = 0

    /// - Parameter bytes: UTF-8, whatever the document says of itself.
    static func parse(_ bytes: [UInt8], _ events: any HTMLEvents) throws(ExtractionError) {
        guard let size = Int32(exactly: bytes.count) else { throw ExtractionError("the document is larger than 2 GiB") }
        xmlInitParser()
        guard let context = htmlNewParserCtxt() else { throw ExtractionError("libxml2 is out of memory") }
        let parser = HTMLParser(context: context, events: events)
        defer { htmlFreeParserCtxt(context) }
        parser.install(maximumNameBytes: maximumNameBytes(documentBytes: bytes.count))
        // The HTML parser recovers in any case. HTML_PARSE_RECOVER would have it show tags whose names were dropped as text.
        let options = Int32(bitPattern: HTML_PARSE_NONET.rawValue | HTML_PARSE_IGNORE_ENC.rawValue)
        let document = withExtendedLifetime(parser) {
            bytes.withUnsafeBytes { buffer in
                htmlCtxtReadMemory(context, buffer.bindMemory(to: CChar.self).baseAddress, size, nil, "UTF-8", options)
            }
        }
        if let document { xmlFreeDoc(document) }
        if parser.steps > maximumSteps { throw ExtractionError("the document's elements are nested too deeply") }
    }

    private init(context: htmlParserCtxtPtr, events: any HTMLEvents) {
        self.context = context
        self.events = events
    }

    private func install(maximumNameBytes: Int) {
        context.pointee.userData = Unmanaged.passUnretained(self).toOpaque()
        var handler = htmlSAXHandler()
        handler.initialized = 0xDEED_BEAF  // XML_SAX2_MAGIC: without it, errors do not come structured.
        handler.startElement = { context, name, _ in HTMLParser.from(context)?.start(name) }
        handler.endElement = { context, name in HTMLParser.from(context)?.end(name) }
        handler.characters = { context, bytes, count in HTMLParser.from(context)?.text(bytes, count) }
        handler.ignorableWhitespace = handler.characters
        handler.cdataBlock = handler.characters
        handler.serror = { context, error in HTMLParser.from(context)?.fault(error?.pointee.code) }
        context.pointee.sax.pointee = handler
        for name in HTMLNames.all { xmlDictLookup(context.pointee.dict, name, -1) }
        xmlDictSetLimit(context.pointee.dict, maximumNameBytes)
    }

    private static func from(_ context: UnsafeMutableRawPointer?) -> HTMLParser? {
        context.map { Unmanaged<HTMLParser>.fromOpaque($0).takeUnretainedValue() }
    }

    private func start(_ name: UnsafePointer<xmlChar>?) {
        guard let name else { return }
        depth += 1
        events.start(String(cString: name))
        if events.isFinished { xmlStopParser(context) }
    }

    private func end(_ name: UnsafePointer<xmlChar>?) {
        guard let name else { return }
        depth -= 1
        events.end(String(cString: name))
        if events.isFinished { xmlStopParser(context) }
    }

    private func text(_ bytes: UnsafePointer<xmlChar>?, _ count: Int32) {
        events.text(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    /// Markup is forgiven; a stray end tag was compared with every open element, though.
    private func fault(_ code: Int32?) {
        guard code == Int32(XML_ERR_TAG_NAME_MISMATCH.rawValue) else { return }
        steps += depth
        if steps > Self.maximumSteps { xmlStopParser(context) }
    }
}

/// The names that have to be known to the parser before a document can use up the room for names.
private enum HTMLNames {
    static let all: [String] = elements + entities

    private static let elements = """
        a abbr acronym address article aside b bdi bdo big blockquote body br button caption center cite code col \
        colgroup dd del details dfn div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head \
        header hr html i iframe img input ins kbd label legend li link main mark meta nav noscript ol option p pre q s \
        samp script section select small span strong style sub summary sup svg table tbody td template textarea tfoot \
        th thead time title tr tt u ul var
        """.split(separator: " ").map(String.init)

    /// HTML 4's, asked from libxml2 by the scalar: the highest is U+2666.
    private static let entities = (0x22...0x2666).compactMap { scalar in
        htmlEntityValueLookup(UInt32(scalar)).map { String(cString: $0.pointee.name) }
    }
}
