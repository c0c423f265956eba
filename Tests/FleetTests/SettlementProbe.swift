internal import AMQP
internal import Contract

@testable internal import Fleet
@testable internal import Jobs

/// What a lane would publish for a delivery that is rejected.
enum SettlementProbe {
    static func properties(of delivery: Delivery, _ code: ErrorCode) -> Properties {
        var settlement = Settlement(RetryLadder())
        _ = settlement.add(.init(delivery: delivery, kind: nil, account: "", outcome: .rejected(Rejection(code, "for a test"))))
        return (settlement.required + settlement.answers)[0].properties
    }
}
