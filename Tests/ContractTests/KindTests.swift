import Testing

@testable internal import Contract

@Suite struct KindTests {
    /// Who may send what, as the contract has it: a change of the code that changes it has to change this too.
    @Test(arguments: [
        ("operator", ["account.create", "account.update", "account.rotate", "usage.aggregate", "billing.close"]),
        (
            "account",
            [
                "tenant.create", "tenant.create_many", "tenant.update", "tenant.suspend", "tenant.resume",
                "tenant.delete", "tenant.restore", "admin.create", "admin.remove", "token.issue", "token.revoke", "template.save",
                "template.remove", "template.apply", "corpus.ingest", "corpus.remove", "conversation.log",
                "conversation.feedback", "conversation.erase", "usage.aggregate", "billing.close",
            ]
        ),
        ("account's own credential", ["account.rotate"]), ("tenant administrator", ["admin.create", "admin.remove"]),
        ("tenant", ["token.issue", "token.revoke", "usage.aggregate"]),
        ("tenant settings:write", ["tenant.update"]), ("tenant corpus:write", ["corpus.ingest", "corpus.remove"]),
        ("tenant conversation:write", ["conversation.log", "conversation.feedback"]),
        ("tenant conversation:erase", ["conversation.erase"]), ("fleet", ["usage.aggregate"]),
    ])
    func `Each may send`(who: String, kinds: [String]) {
        let messages = AsyncAPIDocument.document["components"]?["messages"]
        let published = Kind.all.map(\.name).filter { name in
            guard case .array(let everybody)? = messages?[name]?["x-tenantry"]?["who"] else { return false }
            return everybody.contains(.string(who))
        }
        #expect(published == kinds)
    }

    @Test func `A tenant that is not active takes what brings it back or takes it away`() {
        func taken(in state: TenantState) -> Set<String> {
            Set(Kind.all.filter { $0.states.contains(state) }.map(\.name))
        }
        #expect(taken(in: .active) == Set(Kind.all.map(\.name)))
        #expect(taken(in: .purged) == [])
        let archived: Set = [
            "tenant.delete", "tenant.restore", "admin.remove", "token.revoke", "conversation.erase", "usage.aggregate",
        ]
        #expect(taken(in: .archived) == archived)
        #expect(taken(in: .suspended) == archived.union(["tenant.update", "tenant.suspend", "tenant.resume"]))
    }

    @Test func `What changes who may do what, or what is there, is audited; what flows is not`() {
        #expect(
            Kind.all.filter { !$0.isAudited }.map(\.name) == [
                "corpus.ingest", "corpus.remove", "conversation.log", "conversation.feedback", "usage.aggregate",
            ])
    }
}
