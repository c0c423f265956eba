internal import Contract
internal import Jobs
internal import Postgres
internal import TestSupport
internal import Testing

@testable internal import Accounts
@testable internal import Billing
@testable internal import Metering

/// What is read of accounts, plans, alerts, audit and invoices.
@Suite struct AccountReadTests {
    @Test("Accounts are shown with their own limits, by name, page by page; their entity tag changes with them")
    func accounts() async throws {
        try await HandlerStage.run { stage in
            _ = try stage.makeAccount(
                "bbb", plan: "pro", #","timezone":"Europe/Zurich","slug_prefix":"b-","limits":{"messages":9}"#)
            for slug in ["aaa", "ccc"] { _ = try stage.makeAccount(slug) }
            let found = try #require(try stage.withDatabase { try AccountSummary.find("bbb", on: &$0) })
            let json = AccountSummary.representation.json(found)
            #expect(json["slug"] == "bbb" && json["plan"] == "pro" && json["state"] == "active" && json["slug_prefix"] == "b-")
            #expect(json["timezone"] == "Europe/Zurich" && json["billing_anchor_day"] == 1 && json["limits"] == ["messages": 9])
            let seen: [AccountSummary] = try pages(of: 1, position: \.position) { rows in
                if rows.count == 1 { _ = try stage.makeAccount("abb") }
                if rows.count == 2 { _ = try stage.makeAccount("aab") }
            } page: { position, limit in
                try stage.withDatabase { try AccountSummary.page(after: position, limit: limit, on: &$0) }
            }
            #expect(seen.map(\.slug) == ["aaa", "abb", "bbb", "ccc"])
            let own = try stage.withDatabase { try AccountSummary.page(account: "bbb", after: nil, limit: 2, on: &$0) }
            #expect(own.map(\.slug) == ["bbb"])
            let tag = found.etag
            #expect(try stage.withDatabase { try AccountSummary.currentETag("bbb", on: &$0) } == tag)
            _ = try stage.ask("account.update", #"{"account":"bbb","display_name":"B"}"#, by: HandlerStage.operator)
            #expect(try stage.withDatabase { try AccountSummary.currentETag("bbb", on: &$0) } != tag)
        }
    }

    @Test("An account sees its own plan and those that it may give; an operator sees all")
    func plans() async throws {
        try await HandlerStage.run { stage in
            _ = try stage.makeAccount("acme", plan: "pro")
            try stage.run(
                """
                update tenantry.plans set tenant_plans = '{small}', price = '{"currency": "EUR", "base": 100, "metrics": {}}',
                    jobs_per_minute = 60 where name = 'pro'
                """)
            func page(_ account: String?) throws -> [PlanSummary] {
                try pages(of: 1, position: \.position) { position, limit in
                    try stage.withDatabase { try PlanSummary.page(account: account, after: position, limit: limit, on: &$0) }
                }
            }
            #expect(try page(nil).map(\.name) == ["enterprise", "enterprise-plus", "pro", "small"])
            let own = try page("acme")
            #expect(own.map(\.name) == ["pro", "small"])
            let json = PlanSummary.representation.json(own[0])
            #expect(json["limits"]?["messages"] == ["limit": 10_000, "mode": "soft"] && json["tenant_plans"] == ["small"])
            #expect(json["thresholds"] == [50, 75, 80, 90, 100] && json["jobs_per_minute"] == 60)
            #expect(json["price"] == ["currency": "EUR", "base": 100, "metrics": [:]])
            #expect(PlanSummary.representation.json(own[1])["price"] == .null)
        }
    }

    @Test("Alerts are shown newest first, by each filter, and stay in place while others come")
    func alerts() async throws {
        try await HandlerStage.run { stage in
            for account in ["acme", "other"] { _ = try stage.makeAccount(account) }
            func add(
                _ n: Int, _ hour: Int, _ account: String = "acme", tenant: String = "null", state: String = "warning",
                metric: String = "messages"
            )
                throws
            {
                try stage.run(
                    """
                    insert into tenantry.alerts (id, account, tenant, metric, threshold_percent, state, value, previous_value, limit_value,
                        mode, plan, period_start, period_end, routing_key, event, created_at)
                    values ('00000000-0000-0000-0000-00000000000\(n)', '\(account)', \(tenant), '\(metric)', \(n), '\(state)', 5, 4, 10,
                        'soft', 'pro', '2026-01-01T00:00Z', '2026-02-01T00:00Z', 'k', '{}', '2026-01-02T0\(hour):00:00Z')
                    """)
            }
            try add(1, 1)
            try add(2, 2, tenant: "'shop'", state: "breached")
            try add(3, 2, metric: "tokens")
            try add(4, 3, "other")
            func thresholds(
                account: String? = "acme", tenant: String? = nil, metric: Metric? = nil, state: AlertEvent.State? = nil,
                from: String? = nil,
                to: String? = nil
            ) throws -> [Int64] {
                try stage.withDatabase {
                    try AlertRecord.page(
                        account: account, tenant: tenant, metric: metric, state: state,
                        from: from.flatMap { Timestamp(rfc3339: $0) },
                        to: to.flatMap { Timestamp(rfc3339: $0) }, after: nil, limit: 9, on: &$0)
                }.map(\.thresholdPercent)
            }
            #expect(try thresholds() == [3, 2, 1])
            #expect(try thresholds(account: nil) == [4, 3, 2, 1])
            #expect(try thresholds(tenant: "shop") == [2])
            #expect(try thresholds(metric: .tokens) == [3])
            #expect(try thresholds(state: .breached) == [2])
            #expect(try thresholds(from: "2026-01-02T02:00:00Z") == [3, 2])
            #expect(try thresholds(to: "2026-01-02T02:00:00Z") == [1])
            let seen: [AlertRecord] = try pages(of: 1, position: \.position) { rows in
                if rows.count == 1 { try add(5, 4) }
                if rows.count == 2 { try stage.run("delete from tenantry.alerts where threshold_percent = 2") }
            } page: { position, limit in
                try stage.withDatabase { try AlertRecord.page(account: "acme", after: position, limit: limit, on: &$0) }
            }
            #expect(seen.map(\.thresholdPercent) == [3, 2, 1])
            let json = AlertRecord.representation.json(seen[1])
            #expect(
                json["tenant"] == "shop" && json["limit"] == 10 && json["previous_value"] == 4 && json["published_at"] == .null)
        }
    }

    @Test("Audit is shown latest first, by each filter")
    func audit() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            try stage.run("delete from tenantry.audit_log")
            for (kind, tenant, actor) in [
                ("account.create", "null", "o"), ("tenant.create", "'shop'", "a"), ("tenant.suspend", "'shop'", "a%"),
            ] {
                try stage.run(
                    """
                    insert into tenantry.audit_log (at, account, tenant, credential, role, actor, kind, job_id, details)
                    values ('2026-01-0\(kind.count % 3 + 1)T00:00:00Z', 'acme', \(tenant), 'acc_x', 'account', '\(actor)', '\(kind)', 'j', '{"payload": {"n": 1}}')
                    """)
            }
            func kinds(
                tenant: String? = nil, kind: String? = nil, actor: String? = nil, from: Timestamp? = nil, to: Timestamp? = nil
            ) throws
                -> [String]
            {
                try pages(of: 1, position: \.position) { position, limit in
                    try stage.withDatabase {
                        try AuditRecord.page(
                            account: "acme", tenant: tenant, kind: kind, actor: actor, from: from, to: to, after: position,
                            limit: limit, on: &$0)
                    }
                }.map(\.kind)
            }
            #expect(try kinds() == ["tenant.suspend", "tenant.create", "account.create"])
            #expect(try kinds(tenant: "shop") == ["tenant.suspend", "tenant.create"])
            #expect(try kinds(kind: "tenant.create") == ["tenant.create"])
            #expect(try kinds(actor: "a%") == ["tenant.suspend"])
            let second = Timestamp(rfc3339: "2026-01-02T00:00:00Z")
            #expect(try kinds(from: second).count + kinds(to: second).count == 3)
            let last = try stage.withDatabase { try AuditRecord.page(account: "acme", after: nil, limit: 1, on: &$0) }
            #expect(AuditRecord.representation.json(last[0])["details"] == ["payload": ["n": 1]])
        }
    }

    @Test("Invoices are shown newest first, each with its lines")
    func invoices() async throws {
        try await HandlerStage.run { stage in
            let acme = try stage.makeAccount("acme")
            try stage.makeTenant("shop", by: acme)
            func add(_ id: String, _ tenant: String, _ month: Int) throws {
                try stage.run(
                    """
                    insert into tenantry.invoices (id, account, tenant, period, period_start, period_end, bill_to, plan, has_own_volume, currency,
                        base_amount, usage_amount, adjustment_amount, total, delivery, created_at)
                    values ('\(id)', 'acme', \(tenant), '2026-0\(month)', '2026-0\(month)-01T00:00Z', '2026-0\(month + 1)-01T00:00Z', 'Acme', 'pro',
                        false, 'EUR', 100, 20, -5, 115, 'none', '2026-0\(month + 1)-01T00:00Z');
                    insert into tenantry.invoice_lines (invoice, position, kind, account, metric, period, period_start, period_end, quantity,
                        amount, is_own_volume, description)
                    values ('\(id)', 1, 'base', 'acme', null, '2026-0\(month)', now(), now(), 1, 100, false, 'Base'),
                           ('\(id)', 2, 'usage', 'acme', 'messages', '2026-0\(month)', now(), now(), 10, 20, false, 'Messages')
                    """)
            }
            try add("acme.2026-01", "null", 1)
            try add("acme.2026-02", "null", 2)
            try add("acme.shop.2026-02", "'shop'", 2)
            func ids(tenant: String? = nil, period: String? = nil) throws -> [String] {
                try pages(of: 1, position: \.position) { position, limit in
                    try stage.withDatabase {
                        try InvoiceDetails.page(
                            account: "acme", tenant: tenant, period: period, after: position, limit: limit, on: &$0)
                    }
                }.map(\.id)
            }
            #expect(try ids() == ["acme.shop.2026-02", "acme.2026-02", "acme.2026-01"])
            #expect(try ids(tenant: "shop") == ["acme.shop.2026-02"])
            #expect(try ids(period: "2026-01") == ["acme.2026-01"])
            let invoice = try #require(try stage.withDatabase { try Invoice.find("acme.2026-01", on: &$0) })
            let json = Invoice.representation.json(invoice)
            #expect(json["total"] == 115 && json["currency"] == "EUR" && json["tenant"] == .null && json["terms"] == .null)
            guard case .array(let lines)? = json["lines"] else { throw TestFailure("\(json)") }
            #expect(lines.map { $0["kind"] } == ["base", "usage"] && lines[1]["quantity"] == 10)
        }
    }
}
