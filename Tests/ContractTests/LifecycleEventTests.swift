import Testing

@testable internal import Contract

@Suite struct LifecycleEventTests {
    @Test func `An event's name is two words, so that a subscriber can bind by place`() {
        for event in LifecycleEvent.allCases {
            #expect(event.rawValue.wholeMatch(of: /[a-z]+\.[a-z]+/) != nil)
            let subject =
                switch event.subject {
                case .account: "<account>"
                case .tenant: "<account>.<tenant>"
                case .accountOrTenant: "<account>[.<tenant>]"
                }
            #expect(event.routingKey == "\(event.rawValue).\(subject)")
        }
    }

    @Test func `No event is taken for the outcome of a job`() {
        let outcomes = Answer.Status.allCases.map { EventKey.job($0, .tenantCreate) }
        #expect(LifecycleEvent.allCases.allSatisfy { event in !outcomes.contains { $0.hasPrefix(event.rawValue) } })
    }
}
