/// Splits a block at the coarsest boundaries that make its pieces small enough. The pieces cover the block, blanks included.
struct BlockSplitter {
    let limitTokens: Int
    /// The size of pieces that can only be split between words or characters. It is small, so that chunks overlap by a few of them.
    private let grainTokens: Int

    typealias Piece = (range: Range<Int>, tokens: Int)

    init(limitTokens: Int) {
        self.limitTokens = limitTokens
        grainTokens = max(1, limitTokens / 16)
    }

    /// Sentences. One that is over the limit is split into lines, these into runs of words, and these into runs of characters.
    func forEachPiece(of text: String, _ body: (Range<Int>, Int) -> Void) {
        var text = text
        let string = text
        text.withUTF8 { bytes in
            forEachLine(bytes, limitTokens: limitTokens) { range, tokens in
                if tokens <= limitTokens {
                    body(range, tokens)
                } else {
                    forEachRunOfWords(string, bytes, range, body)
                }
            }
        }
    }

    /// Sentences. One that is over the limit is split into lines, whatever their size.
    func sentences(of text: String, limitTokens: Int) -> [Piece] {
        var text = text
        var pieces: [Piece] = []
        text.withUTF8 { bytes in
            forEachLine(bytes, limitTokens: limitTokens) { pieces.append(($0, $1)) }
        }
        return pieces
    }

    private func forEachLine(_ bytes: UnsafeBufferPointer<UInt8>, limitTokens: Int, _ body: (Range<Int>, Int) -> Void) {
        var start = 0
        while start < bytes.count {
            let end = SentenceScanner.end(of: bytes, from: start)
            let tokens = count(bytes, start..<end)
            if tokens <= limitTokens {
                body(start..<end, tokens)
                start = end
            }
            while start < end {
                let line = (bytes[start..<end].firstIndex(of: UInt8(ascii: "\n")) ?? end - 1) + 1
                body(start..<line, count(bytes, start..<line))
                start = line
            }
        }
    }

    private func forEachRunOfWords(
        _ text: String, _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>, Int) -> Void
    ) {
        var start = range.lowerBound
        var tokens = 0
        var position = start
        while position < range.upperBound {
            let word = position
            while position < range.upperBound, !bytes[position].isBlank { position += 1 }
            let wordTokens = count(bytes, word..<position)
            let wordEnd = position
            while position < range.upperBound, bytes[position].isBlank { position += 1 }
            if tokens + wordTokens > grainTokens {
                if start < word { body(start..<word, tokens) }
                start = word
                tokens = 0
            }
            if wordTokens > limitTokens {
                forEachRunOfCharacters(text, bytes, word..<wordEnd, body)
                start = wordEnd
            } else {
                tokens += wordTokens
            }
        }
        if start < range.upperBound { body(start..<range.upperBound, tokens) }
    }

    private func forEachRunOfCharacters(
        _ text: String, _ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>, Int) -> Void
    ) {
        var start = range.lowerBound
        var meter = TokenMeter()
        func add(_ unit: Range<Int>) {
            var longer = meter
            longer.read(bytes, unit)
            if longer.tokens > grainTokens, start < unit.lowerBound {
                body(start..<unit.lowerBound, meter.tokens)
                start = unit.lowerBound
                longer = TokenMeter()
                longer.read(bytes, unit)
            }
            meter = longer
        }
        var index = text.utf8.index(text.startIndex, offsetBy: range.lowerBound)
        var position = range.lowerBound
        while position < range.upperBound {
            let next = text.index(after: index)
            let end = min(position + text.utf8.distance(from: index, to: next), range.upperBound)
            if count(bytes, position..<end) <= limitTokens {
                add(position..<end)
            } else {
                // A letter with thousands of combining marks: kept whole, it would make a chunk of unlimited size.
                forEachScalar(bytes, position..<end, add)
            }
            (index, position) = (next, end)
        }
        body(start..<range.upperBound, meter.tokens)
    }

    private func forEachScalar(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            var end = start + 1
            while end < range.upperBound, bytes[end].isContinuation { end += 1 }
            body(start..<end)
            start = end
        }
    }

    private func count(_ bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> Int {
        var meter = TokenMeter()
        meter.read(bytes, range)
        return meter.tokens
    }
}
