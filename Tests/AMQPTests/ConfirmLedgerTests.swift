import AMQP
import TestSupport
import Testing

@Suite("A confirm ledger")
struct ConfirmLedgerTests {
    private func ledger(publishes count: Int) -> ConfirmLedger {
        var ledger = ConfirmLedger()
        for _ in 0..<count { _ = ledger.publish() }
        return ledger
    }

    @Test("counts sequences from 1")
    func countsFromOne() {
        var ledger = ConfirmLedger()
        #expect((1...3).map { _ in ledger.publish() } == [1, 2, 3])
        #expect(ledger.unconfirmedCount == 3)
    }

    @Test("settles a range with multiple")
    func settlesMultiple() {
        var ledger = ledger(publishes: 5)
        ledger.acknowledge(3, multiple: true)
        #expect(ledger.unconfirmedCount == 2)
        #expect(ledger.publish() == 6)
    }

    @Test("takes confirms out of order and never twice")
    func outOfOrder() {
        var ledger = ledger(publishes: 5)
        for tag in [4, 2, 2, 4] as [UInt64] { ledger.acknowledge(tag, multiple: false) }
        #expect(ledger.unconfirmedCount == 3)
        ledger.refuse(5, multiple: true)
        #expect(ledger.unconfirmedCount == 0)
        #expect(ledger.takeOutcome() == ConfirmOutcome(nacked: [1, 3, 5]))
        #expect(ledger.takeOutcome().isSuccess)
    }

    @Test("ignores tags it never gave out")
    func unknownTags() {
        var ledger = ledger(publishes: 2)
        for tag in [0, 3, .max] as [UInt64] { ledger.acknowledge(tag, multiple: true) }
        #expect(ledger.unconfirmedCount == 2)
    }

    @Test("gives a return to the first open publish that looks like it")
    func returns() {
        var ledger = ConfirmLedger()
        for id in ["a", "b", "b"] { _ = ledger.publishMandatory(exchange: "x", routingKey: "k", messageID: id) }
        let returned = Returned(
            sequence: 0, replyCode: 312, replyText: "NO_ROUTE", exchange: "x", routingKey: "k", messageID: "b")
        ledger.giveBack(returned)
        ledger.giveBack(returned)
        ledger.acknowledge(3, multiple: true)
        ledger.giveBack(returned)
        #expect(ledger.takeOutcome().returned.map(\.sequence) == [2, 3, 0])
        #expect(ledger.unconfirmedCount == 0)
    }

    @Test("stays exact over a long run in random order")
    func longRun() {
        var ledger = ConfirmLedger()
        var open: [UInt64] = []
        var refused: Set<UInt64> = []
        var random = SeededNumbers(state: 20_261_126)
        for _ in 0..<30_000 {
            open.append(ledger.publish())
            guard open.count > 500 else { continue }
            let tag = open.remove(at: Int.random(in: 0..<open.count, using: &random))
            if tag.isMultiple(of: 7) {
                ledger.refuse(tag, multiple: false)
                refused.insert(tag)
            } else {
                ledger.acknowledge(tag, multiple: false)
            }
            #expect(ledger.unconfirmedCount == open.count)
        }
        ledger.acknowledge(30_000, multiple: true)
        #expect(ledger.unconfirmedCount == 0)
        #expect(Set(ledger.takeOutcome().nacked) == refused)
    }
}
