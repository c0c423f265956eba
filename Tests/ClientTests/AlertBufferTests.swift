internal import Testing

@testable internal import TenantryClient

/// A subscription's bookkeeping, without a server.
@Suite struct AlertBufferTests {
    @Test("Alerts are given in order; their tags are acknowledged once, when they are dealt with")
    func order() {
        var buffer = AlertBuffer()
        buffer.connected()
        buffer.arrived(tag: 1, body: [1])
        buffer.arrived(tag: 2, body: [2])
        let first = buffer.takeItem()
        #expect(first?.body == [1] && !buffer.hasAcknowledgements)
        if let first { buffer.acknowledge(first.delivery) }
        #expect(buffer.takeAcknowledgements() == [1])
        #expect(buffer.takeAcknowledgements().isEmpty)
        #expect(buffer.takeItem()?.body == [2])
        #expect(buffer.takeItem() == nil)
    }

    @Test("With a new connection nothing of the old one is given or acknowledged: the broker sends it again")
    func reconnected() {
        var buffer = AlertBuffer()
        buffer.connected()
        for tag in 1...3 as ClosedRange<UInt64> { buffer.arrived(tag: tag, body: [UInt8(tag)]) }
        let (first, second) = (buffer.takeItem(), buffer.takeItem())
        if let first { buffer.acknowledge(first.delivery) }
        buffer.connected()
        if let second { buffer.acknowledge(second.delivery) }
        #expect(buffer.takeAcknowledgements().isEmpty)
        #expect(buffer.takeItem() == nil)
        buffer.arrived(tag: 1, body: [9])
        if let again = buffer.takeItem() { buffer.acknowledge(again.delivery) }
        #expect(buffer.takeAcknowledgements() == [1])
    }

    @Test("An id is new once, and remembered for as long as so many others come")
    func ids() {
        var buffer = AlertBuffer()
        let others = (1..<AlertBuffer.rememberedIDs).map { "\($0)" }
        let isNew = (["a", "a"] + others + ["a", "one more", "a"]).map { buffer.isNew($0) }
        #expect(isNew == [true, false] + others.map { _ in true } + [false, true, true])
    }
}
