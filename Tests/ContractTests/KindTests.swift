import Testing

@testable internal import Contract

@Suite struct KindTests {
    /// Who may send what, as `Tests/Wire/examples.json` has it from the contract: a change of the code that changes it has to change that, too.
    @Test(arguments: Kind.all)
    func `Each kind is sent by whom the contract says, on a tenant or not, and is audited or not`(kind: Kind) throws {
        let contract = try #require(try PayloadExampleTests.examples()[kind.name], "nothing is said of \(kind)")
        let message = AsyncAPIDocument.document["components"]?["messages"]?[kind.name]
        #expect(message?["x-tenantry"]?["who"] == contract.who)
        #expect(.bool(kind.needsTenant) == contract.needsTenant)
        #expect(.bool(kind.isAudited) == contract.isAudited)
    }

    @Test func `A tenant that is not active takes what brings it back or takes it away`() {
        func taken(in state: TenantState) -> Set<String> {
            Set(Kind.all.filter { $0.states.contains(state) }.map(\.name))
        }
        #expect(taken(in: .active) == Set(Kind.all.map(\.name)))
        #expect(taken(in: .purged) == [])
        let archived: Set = [
            "tenant.delete", "tenant.restore", "admin.remove", "token.revoke", "webhook.remove", "conversation.erase",
            "usage.aggregate",
        ]
        #expect(taken(in: .archived) == archived)
        #expect(
            taken(in: .suspended)
                == archived.union([
                    "tenant.update", "tenant.suspend", "tenant.resume", "webhook.update", "webhook.rotate", "webhook.test",
                    "webhook.resend", "webhook.recover",
                ]))
    }
}
