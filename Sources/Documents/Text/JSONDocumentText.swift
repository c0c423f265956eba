internal import Contract

/// `application/json`: every leaf as a line `path: value`, grouped to records.
///
/// A member of the top-level object is a section under its key; an element of the top-level array, and of an array right below
/// the top-level object, is a block of its own. Deeper members are named from there (`address.city`, `items[2].name`). Values of
/// an array share the array's name. `null` and empty strings say nothing and have no line.
struct JSONDocumentText {
    /// As deep as JSON readers commonly go; the path of a leaf grows with the depth.
    static let maximumDepth = 512

    var cursor: JSONCursor
    private var builder: DocumentBuilder
    private var lines: [UInt8] = []
    private var path: [UInt8] = []
    private var containers: [Container] = []

    private struct Container {
        let isArray: Bool
        /// Whether its end is the end of a block.
        let isRecord: Bool
        let pathLength: Int
        var count = 0
    }

    static func read(_ bytes: [UInt8], mostBytes: Int) throws(ExtractionError) -> DocumentText {
        let result = bytes.withUnsafeBytes { bytes in
            Result<DocumentText, ExtractionError> { () throws(ExtractionError) in
                var reader = JSONDocumentText(bytes, mostBytes: mostBytes)
                return try reader.read()
            }
        }
        return try result.get()
    }

    private init(_ bytes: UnsafeRawBufferPointer, mostBytes: Int) {
        builder = DocumentBuilder(mostBytes: mostBytes)
        // Half a pair of surrogates is a fault of the text, not of the JSON.
        cursor = JSONCursor(bytes, takesLoneSurrogates: true)
        if bytes.starts(with: TextExtractor.byteOrderMark) { cursor.position = TextExtractor.byteOrderMark.count }
    }

    private mutating func read() throws(ExtractionError) -> DocumentText {
        if !isAtEnd() { try document() }
        return builder.finish()
    }

    private mutating func isAtEnd() -> Bool {
        cursor.skipSpace()
        return cursor.position == cursor.bytes.count
    }

    /// Walks the document with a stack of its own.
    private mutating func document() throws(ExtractionError) {
        try value(key: nil)
        while let container = containers.last {
            if cursor.take(UInt8(ascii: container.isArray ? "]" : "}")) {
                try close()
                continue
            }
            if container.count > 0 { try take(",") }
            containers[containers.count - 1].count += 1
            path.removeSubrange(container.pathLength...)
            if container.isArray {
                try value(key: nil)
            } else {
                cursor.skipSpace()
                guard cursor.byte == UInt8(ascii: "\"") else { throw fault("a key is expected") }
                let key = try text()
                try take(":")
                try value(key: key)
            }
        }
        try endBlock()
        if !isAtEnd() { throw fault("something follows the document") }
    }

    private mutating func value(key: [UInt8]?) throws(ExtractionError) {
        cursor.skipSpace()
        switch cursor.byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["): try open(key: key)
        case UInt8(ascii: "\""): try leaf(key: key, text()[...])
        default: try leaf(key: key, literal()[...])
        }
    }

    private mutating func open(key: [UInt8]?) throws(ExtractionError) {
        let isArray = cursor.byte == UInt8(ascii: "[")
        cursor.position += 1
        guard containers.count < Self.maximumDepth else {
            throw ExtractionError("the JSON is nested deeper than \(Self.maximumDepth) levels", at: cursor.position)
        }
        let isSection = containers.count == 1 && !containers[0].isArray
        let isElement =
            containers.last?.isArray == true && (containers.count == 1 || (containers.count == 2 && !containers[0].isArray))
        if isSection || isElement {
            try endBlock()
            path.removeAll()
            if isSection, let key { try builder.heading(level: 2, key[...]) }
        } else if let key {
            extendPath(key)
        } else if let array = containers.last {
            path += "[\(array.count - 1)]".utf8
        }
        containers.append(Container(isArray: isArray, isRecord: isSection || isElement, pathLength: path.count))
    }

    private mutating func close() throws(ExtractionError) {
        let container = containers.removeLast()
        if container.isRecord { try endBlock() }
        if containers.count == 1, !containers[0].isArray { builder.leaveHeadings() }
    }

    private mutating func leaf(key: [UInt8]?, _ value: ArraySlice<UInt8>) throws(ExtractionError) {
        let text = value.trimmedBlanks()
        if text.isEmpty || text.elementsEqual("null".utf8) { return }
        if let key { extendPath(key) }
        try builder.require(lines.count + path.count + text.count)
        if !path.isEmpty {
            lines += path
            lines += ": ".utf8
        }
        lines += text
        lines.append(UInt8(ascii: "\n"))
    }

    private mutating func extendPath(_ key: [UInt8]) {
        if !path.isEmpty { path.append(UInt8(ascii: ".")) }
        path += key[...].collapsedBlanks()
    }

    private mutating func endBlock() throws(ExtractionError) {
        try builder.block(lines[...])
        lines.removeAll(keepingCapacity: true)
    }
}
