internal import CLibXML2

/// What receives the parts of an HTML document, in order. Starts and ends are balanced, even if the document's are not.
protocol HTMLEvents: AnyObject {
    /// - Parameter element: the lower-case name.
    func start(_ element: String)
    func end(_ element: String)
    func text(_ bytes: UnsafeBufferPointer<UInt8>)
    /// Whether enough was read.
    var isFinished: Bool { get }
}

/// libxml2's HTML parser through its SAX interface
/// (<https://gnome.pages.gitlab.gnome.org/libxml2/devhelp/libxml2-HTMLparser.html>), on what `HTMLMarkup` leaves of a document.
///
/// No tree is built, so depth costs no stack. It reads nothing but the bytes given, and it knows no entities but HTML's own.
/// The search for the start of a stray end tag, quadratic below a million open elements, is bounded in proportion to the document.
final class HTMLParser {
    /// The names of the entities that the parser knows, HTML 4's; asked by the scalar, of which U+2666 is the highest.
    static let entities = Set(
        (0x22...0x2666).compactMap { scalar in htmlEntityValueLookup(UInt32(scalar)).map { String(cString: $0.pointee.name) } })

    /// Comparisons for each byte, and some that are free: a page that is merely sloppy has tens of open elements, not thousands.
    private static let stepsPerByte = 256
    private static let freeSteps = 1_000_000

    private let context: htmlParserCtxtPtr
    private let events: any HTMLEvents
    private var depth = 0
    private var steps = 0
    private let maximumSteps: Int

    /// - Parameter document: UTF-8, whatever the document says of itself.
    static func parse(_ document: [UInt8], _ events: any HTMLEvents) throws(ExtractionError) {
        let bytes = HTMLMarkup.bare(document)
        guard let size = Int32(exactly: bytes.count) else { throw ExtractionError("the document is larger than 2 GiB") }
        xmlInitParser()
        guard let context = htmlNewParserCtxt() else { throw ExtractionError("libxml2 is out of memory") }
        let parser = HTMLParser(
            context: context, events: events, maximumSteps: freeSteps + stepsPerByte * document.count)
        defer { htmlFreeParserCtxt(context) }
        parser.install()
        let options = Int32(bitPattern: HTML_PARSE_RECOVER.rawValue | HTML_PARSE_NONET.rawValue | HTML_PARSE_IGNORE_ENC.rawValue)
        let tree = withExtendedLifetime(parser) {
            bytes.withUnsafeBytes { buffer in
                htmlCtxtReadMemory(context, buffer.bindMemory(to: CChar.self).baseAddress, size, nil, "UTF-8", options)
            }
        }
        if let tree { xmlFreeDoc(tree) }
        if parser.steps > parser.maximumSteps { throw ExtractionError("the document's elements are nested too deeply") }
    }

    private init(context: htmlParserCtxtPtr, events: any HTMLEvents, maximumSteps: Int) {
        self.maximumSteps = maximumSteps
        self.context = context
        self.events = events
    }

    private func install() {
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

    /// Errors in the markup are ignored. But libxml2 has compared a stray end tag with every open element, so these steps are counted.
    private func fault(_ code: Int32?) {
        guard code == Int32(XML_ERR_TAG_NAME_MISMATCH.rawValue) else { return }
        steps += depth
        if steps > maximumSteps { xmlStopParser(context) }
    }
}
