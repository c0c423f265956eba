import Contract
import Documents
import Testing

/// How the bound of a job is shared by its documents.
@Suite struct TextAllowanceTests {
    @Test func `The bound is sixteen times the bytes, at least 1 MiB and at most 64 MiB`() {
        #expect(Bounds.textBytes(ofSource: 0) == 1 << 20)
        #expect(Bounds.textBytes(ofSource: 1 << 16) == 1 << 20)
        #expect(Bounds.textBytes(ofSource: 1 << 17) == 1 << 21)
        #expect(Bounds.textBytes(ofSource: 16 << 20) == 64 << 20)
        #expect(Bounds.textBytes(ofSource: .max) == 64 << 20)
    }

    @Test(arguments: [[1], [100, 1, 3_000_000], Array(repeating: 16_384, count: 8), Array(repeating: 16_777, count: 1_000)])
    func `However much the first take, the last may have four times their bytes, and all together no more than the bound`(
        sizes: [Int]
    ) {
        var allowance = TextAllowance(sourceBytes: sizes)
        var (text, chunks) = (0, 0)
        for size in sizes {
            let offer = allowance.offer(sourceBytes: size)
            #expect(offer.textBytes >= 4 * size && offer.chunkBytes >= 8 * size + 1_024)
            allowance.spend(textBytes: offer.textBytes, chunkBytes: offer.chunkBytes)
            (text, chunks) = (text + offer.textBytes, chunks + offer.chunkBytes)
        }
        let bound = Bounds.textBytes(ofSource: sizes.reduce(0, +))
        #expect(text == bound && chunks == 2 * bound + 1_024 * sizes.count)
    }

    @Test func `A document alone may have all of it`() {
        var allowance = TextAllowance(sourceBytes: [200_000])
        #expect(allowance.offer(sourceBytes: 200_000).textBytes == 3_200_000)
    }
}
