import Documents
import Testing

@Suite struct ChunkerTests {
    private func chunks(_ text: String, _ type: DocumentFormat = .plain, target: Int, overlap: Int) throws -> [Chunk] {
        let document = try TextExtractor.extract(Array(text.utf8), as: type)
        return Chunker(targetTokens: target, overlapTokens: overlap).chunks(of: document)
    }

    @Test("A section that fits is one chunk with its heading path")
    func sections() throws {
        let chunks = try chunks("# Versand\nWir liefern.\n\nNach Köln.\n## Kosten\nKeine.", .markdown, target: 100, overlap: 10)
        #expect(chunks.map(\.heading) == ["Versand", "Versand > Kosten"])
        #expect(chunks.map(\.content) == ["Wir liefern.\n\nNach Köln.", "Keine."])
        #expect(chunks.map(\.tokenCount) == [7, 2])
    }

    @Test("A section over the target is packed paragraph by paragraph")
    func paragraphs() throws {
        let chunks = try chunks("One two three.\n\nFour five six.\n\nSeven eight nine.", target: 9, overlap: 0)
        #expect(chunks.map(\.content) == ["One two three.\n\nFour five six.", "Seven eight nine."])
    }

    @Test(
        "Paragraphs over the target are split at sentence ends",
        arguments: [
            (
                "Der Zug kam spät an. Wir warteten z. B. am Gleis 3 auf Dr. Öz. Dann ging es los.",
                ["Der Zug kam spät an.", "Wir warteten z. B. am Gleis 3 auf Dr. Öz.", "Dann ging es los."]
            ),
            (
                "It costs 3.50 euros, e.g. in Bonn. Really?! Yes. \"No,\" he said.",
                ["It costs 3.50 euros, e.g. in Bonn.", "Really?! Yes. \"No,\" he said."]
            ),
            ("今日は良い天気です。散歩に行きます！本当ですか？", ["今日は良い天気です。", "散歩に行きます！本当ですか？"]),
            ("Am 3. Mai war es kalt… Über Nacht fror es. Ärger!", ["Am 3. Mai war es kalt… Über Nacht fror es.", "Ärger!"]),
        ])
    func sentences(text: String, expected: [String]) throws {
        #expect(try chunks(text, target: 15, overlap: 0).map(\.content) == expected)
    }

    @Test("A chunk begins with the last sentences of the one before, in its section only")
    func overlap() throws {
        let text = "# A\nOne two three. Four five. Six seven eight. Nine ten. One two.\n# B\nOther."
        let chunks = try chunks(text, .markdown, target: 8, overlap: 4)
        #expect(
            chunks.map(\.content) == [
                "One two three. Four five.", "Four five. Six seven eight.", "Six seven eight. Nine ten.", "Nine ten. One two.",
                "Other.",
            ])
    }

    @Test("Overlap reaches into a paragraph that was packed whole")
    func overlapOfParagraphs() throws {
        let chunks = try chunks("One two three. Four five.\n\nSix seven eight nine.", target: 8, overlap: 3)
        #expect(chunks.map(\.content) == ["One two three. Four five.", "Four five.\n\nSix seven eight nine."])
    }

    @Test("A word over the target is split between characters, never inside one")
    func longWord() throws {
        let word = String(repeating: "e\u{301}👩‍👩‍👧🇩🇪", count: 400)
        let chunks = try chunks(word, target: 32, overlap: 0)
        #expect(chunks.map(\.content).joined() == word)
        #expect(chunks.flatMap { Array($0.content) } == Array(word))
        #expect(chunks.allSatisfy { $0.tokenCount <= 32 })
    }

    @Test("One character with thousands of marks is split all the same")
    func combiningMarks() throws {
        let text = "a" + String(repeating: "\u{301}", count: 5_000)
        let chunks = try chunks(text, target: 64, overlap: 0)
        #expect(chunks.map(\.content).joined().unicodeScalars.elementsEqual(text.unicodeScalars))
        #expect(chunks.allSatisfy { $0.tokenCount <= 64 })
    }

    static let formats: [DocumentFormat] = [.plain, .markdown, .html]
    static let seeds: [UInt64] = Array(1...20)

    @Test("No word is lost, no chunk too large, positions have no gaps, and twice is the same", arguments: formats, seeds)
    func properties(type: DocumentFormat, seed: UInt64) throws {
        var random = SeededGenerator(state: seed)
        let (text, words) = Self.document(type, &random)
        let target = Int.random(in: 16...200, using: &random)
        let overlap = Int.random(in: 0...80, using: &random)
        let chunks = try chunks(text, type, target: target, overlap: overlap)
        #expect(chunks.map(\.position) == Array(chunks.indices))
        #expect(chunks.allSatisfy { $0.tokenCount <= target && !$0.content.isEmpty && !$0.content.contains("\0") })
        #expect(chunks.allSatisfy { $0.tokenCount == TokenEstimate.count($0.content) })
        var found = chunks.lazy.flatMap { $0.content.split(whereSeparator: \.isWhitespace) }.makeIterator()
        for word in words {
            var next = found.next()
            while let candidate = next, candidate != word { next = found.next() }
            #expect(next != nil, "‘\(word)’ is lost")
            if next == nil { break }
        }
        #expect(try self.chunks(text, type, target: target, overlap: overlap) == chunks)
    }

    /// A document of sections with numbered words, and the words of its paragraphs.
    private static func document(_ type: DocumentFormat, _ random: inout SeededGenerator) -> (String, [Substring]) {
        let stems = [
            "Haus", "Größe", "the", "Über", "z.", "B.", "fox", "日本", "Straße", "e.g.", "naïve", "über-\u{201E}laut\u{201C}",
            "3.14",
        ]
        let ends = [".", "!", "?", "…", ",", ";", ""]
        var text = ""
        var words: [Substring] = []
        for paragraph in 0..<Int.random(in: 1...30, using: &random) {
            var sentence: [String] = []
            for word in 0..<Int.random(in: 1...120, using: &random) {
                sentence.append(
                    "\(stems.randomElement(using: &random)!)\(paragraph % 7)\(word % 10)\(ends.randomElement(using: &random)!)")
            }
            let body = sentence.joined(separator: " ")
            words += body.split(separator: " ")
            let hasHeading = type != .plain && Int.random(in: 0..<4, using: &random) == 0
            let level = Int.random(in: 1...6, using: &random)
            switch type {
            case .markdown:
                text += (hasHeading ? String(repeating: "#", count: level) + " Kopf \(paragraph)\n" : "") + body + "\n\n"
            case .html: text += (hasHeading ? "<h\(level)>Kopf \(paragraph)</h\(level)>" : "") + "<p>\(body)</p>"
            default: text += body + "\n\n"
            }
        }
        return (text, words)
    }
}
