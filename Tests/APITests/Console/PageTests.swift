internal import Contract
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import TestSupport
internal import Testing

@testable internal import API
@testable internal import Console

/// What pages show, to whom, and what can be done on them.
@Suite struct PageTests {
    @Test func `Each list is a page, a table of values and an object, by its ending or by what is accepted`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            for slug in ["north", "south"] { try await stage.makeTenant(slug, token: account) }
            let browser = Browser(stage)
            try await browser.signIn(account)
            let csv = try await browser.get("/tenants.csv")
            #expect(csv.status == 200 && csv["Content-Type"]?.hasPrefix("text/csv") == true)
            #expect(csv.body.hasPrefix("slug,account,display_name") && csv.body.contains("north,acme"))
            let json = try await browser.get("/tenants.json?q=sou")
            #expect(json.json.items("data").map { $0.text("slug") } == ["south"] && json.json["next"] == .null)
            let accepted = try await browser.get("/tenants", accept: "application/json")
            #expect(accepted.json.items("data").count == 2)
            #expect(try await browser.get("/tenants", accept: "text/csv").body == csv.body)
            let several = try await browser.get("/index.json")
            #expect(several.json["usage"]?.text("account") == "acme" && several.json.items("tenants").count == 2)
            let unknown = try await browser.get("/tenants.json?limit=0")
            #expect(unknown.status == 400 && unknown["Content-Type"] == "application/problem+json")
            // A document whose name has such an ending is itself.
            let made = try await stage.ask(
                .POST, "/v1/tenants/north/documents",
                #"{"documents":[{"external_id":"menu.json","title":"Menu","media_type":"text/plain","content":"Soup"}]}"#,
                token: account)
            #expect(made.status == 201)
            let document = try await browser.get("/tenants/north/documents/menu.json")
            #expect(document.status == 200 && document.text.contains("Soup"), "\(document.status)")
            #expect(try await browser.get("/tenants/north/documents/menu.json.json").json.text("title") == "Menu")
            let signedOut = try await Browser(stage).get("/tenants", accept: "application/json")
            #expect(signedOut.status == 401 && signedOut["Content-Type"] == "application/problem+json")
        }
    }

    @Test func `Rows go on by cursor, filters and order stand in the address`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            for slug in ["a1", "b1", "c1"] { try await stage.makeTenant(slug, token: account) }
            let browser = Browser(stage)
            try await browser.signIn(account)
            let first = try await browser.get("/tenants?view=table&limit=2&sort=slug&order=down")
            let (b, a) = (try #require(first.body.range(of: ">b1<")), try #require(first.body.range(of: ">a1<")))
            #expect(
                b.lowerBound < a.lowerBound && !first.body.contains(">c1<") && first.body.contains("aria-sort=\"descending\""))
            let next = try #require(first.body.firstMatch(of: /href="([^"]*cursor=[^"]*)"/)).1.replacing("&amp;", with: "&")
            #expect(next.contains("view=table") && next.contains("limit=2") && next.contains("sort=slug"))
            let second = try await browser.get(String(next))
            #expect(second.status == 200 && second.body.contains(">c1<") && !second.body.contains(">a1<"))
            #expect(try await browser.get("/tenants?cursor=nonsense").status == 400)
        }
    }

    @Test func `A chatbot is made from a template by a form; what is refused keeps what was typed`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            let saved = try await stage.ask(
                .POST, "/v1/templates",
                #"{"name":"Shops","settings":{"greeting":"Hello"},"documents":[{"external_id":"d","title":"Returns","media_type":"text/plain","content":"Within 14 days."}]}"#,
                token: account)
            #expect(saved.status == 201, "\(saved.body)")
            let browser = Browser(stage)
            try await browser.signIn(account)
            let fields = [("form", "form"), ("tenant", "shop"), ("display_name", "The \"Shop\""), ("template", "Shops")]
            let wrong = try await browser.post("/tenants/new", fields + [("settings", "{no json")])
            #expect(wrong.status == 422, "\(wrong.text)")
            #expect(wrong.body.contains("value=\"The &quot;Shop&quot;\"") && wrong.body.contains("{no json"))
            #expect(wrong.body.contains("aria-invalid=\"true\"") && wrong.body.contains("<option value=\"Shops\" selected>"))
            let bad = try await browser.post("/tenants/new", [("form", "form"), ("tenant", "S!"), ("display_name", "x")])
            #expect(bad.status == 422 && bad.body.contains("form-tenant-error"))
            let made = try await browser.post("/tenants/new", fields + [("settings", #"{"colour":"red"}"#)])
            #expect(made.status == 303 && made["Location"] == "/tenants/shop?done=created", "\(made.body)")
            #expect(try await browser.get("/tenants/shop?done=created").text.contains("Created."))
            #expect(!(try await browser.get("/tenants/shop?done=%3Cscript%3E").body.contains("data-notice")))
            let settings = try await browser.get("/tenants/shop/settings")
            #expect(settings.text.contains("\"greeting\": \"Hello\"") && settings.text.contains("\"colour\": \"red\""))
            let taken = try await browser.post("/tenants/new", fields)
            #expect(taken.status == 409 && taken.body.contains("form-tenant-error"))
            let found = try await browser.get("/tenants/shop/corpus?ask=days")
            #expect(found.text.contains("Returns") && found.text.contains("14"))
        }
    }

    @Test func `A file is uploaded, found, and removed; settings that somebody else has saved meanwhile are not lost`()
        async throws
    {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            let browser = Browser(stage)
            try await browser.signIn(account)
            let body = """
                --xx\r
                Content-Disposition: form-data; name="form"\r
                \r
                form\r
                --xx\r
                Content-Disposition: form-data; name="file"; filename="hours.md"\r
                Content-Type: application/octet-stream\r
                \r
                # Hours\r
                We open at nine.\r
                --xx--\r

                """
            let sent = try await browser.send(
                .POST, "/tenants/shop/corpus/new", Array(body.utf8),
                ["Content-Type": "multipart/form-data; boundary=xx", "Accept": "text/html", "Sec-Fetch-Site": "same-origin"])
            #expect(sent.status == 303 && sent["Location"] == "/tenants/shop/corpus?done=uploaded", "\(sent.text)")
            let document = try await browser.get("/tenants/shop/documents/hours.md")
            #expect(document.text.contains("text/markdown") && document.text.contains("We open at nine."))
            #expect(try await browser.post("/tenants/shop/documents/hours.md/remove", [("form", "form")]).status == 303)
            #expect(try await browser.get("/tenants/shop/documents/hours.md").status == 404)
            let shown = try await browser.get("/tenants/shop/settings")
            let tag = try #require(shown.body.firstMatch(of: /name="tag" value="([^"]*)"/)).1.replacing("&quot;", with: "\"")
            _ = try await stage.ask(.PATCH, "/v1/tenants/shop/settings", #"{"a":1}"#, token: account)
            let late = try await browser.post(
                "/tenants/shop/settings", [("form", "form"), ("tag", String(tag)), ("settings", #"{"b":2}"#)])
            #expect(late.status == 412 && late.text.contains("\"b\":2") && late.text.contains("changed meanwhile"))
            let again = try await browser.get("/tenants/shop/settings")
            let fresh = try #require(again.body.firstMatch(of: /name="tag" value="([^"]*)"/)).1.replacing("&quot;", with: "\"")
            let saved = try await browser.post(
                "/tenants/shop/settings", [("form", "form"), ("tag", String(fresh)), ("settings", #"{"b":2}"#)])
            #expect(saved.status == 303, "\(saved.text)")
            #expect(try await stage.ask(.GET, "/v1/tenants/shop/settings", token: account).json == ["b": 2])
        }
    }

    @Test func `A purge takes the name typed and the credential again; what is archived can be restored`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            let browser = Browser(stage)
            try await browser.signIn(account)
            let page = try await browser.get("/tenants/shop/delete")
            #expect(page.text.contains("settings, tokens and administrators") && page.text.contains("Type shop to confirm"))
            let mistyped = try await browser.post(
                "/tenants/shop/delete", [("form", "purge"), ("mode", "purge"), ("confirm", "shopp"), ("proof", account)])
            #expect(mistyped.status == 422 && mistyped.body.contains("purge-confirm-error"))
            let unproven = try await browser.post(
                "/tenants/shop/delete",
                [("form", "purge"), ("mode", "purge"), ("confirm", "shop"), ("proof", stage.fleet.operatorToken)])
            #expect(
                unproven.status == 422 && unproven.body.contains("purge-proof-error")
                    && !unproven.body.contains(stage.fleet.operatorToken))
            #expect(try await browser.post("/tenants/shop/delete", [("form", "archive"), ("mode", "archive")]).status == 303)
            #expect(try await browser.post("/tenants/shop/restore", [("form", "form")]).status == 303)
            #expect(try await stage.ask(.GET, "/v1/tenants/shop", token: account).json.text("state") == "active")
            let purged = try await browser.post(
                "/tenants/shop/delete", [("form", "purge"), ("mode", "purge"), ("confirm", "shop"), ("proof", account)])
            #expect(purged.status == 303 && purged["Location"] == "/tenants?done=purged", "\(purged.text)")
            #expect(try await browser.get("/tenants/shop").status == 404)
        }
    }

    @Test func `An account's credential is made anew for whoever proves to have it, and shown once`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            let browser = Browser(stage)
            try await browser.signIn(account)
            #expect(try await browser.get("/tokens").body.contains("/accounts/acme/rotate"))
            let fields = [("form", "form"), ("overlap_seconds", "600")]
            let unproven = try await browser.post("/accounts/acme/rotate", fields + [("proof", "acc_x.y")])
            #expect(unproven.status == 422 && unproven.body.contains("form-proof-error"))
            let made = try await browser.post("/accounts/acme/rotate", fields + [("proof", account)])
            #expect(made.status == 201, "\(made.text)")
            let shown = try #require(made.body.firstMatch(of: /data-copy="(acc_[^"]+)"/)).1
            #expect(try await stage.ask(.GET, "/v1/me", token: String(shown)).json.text("account") == "acme")
            #expect(try await stage.ask(.GET, "/v1/me", token: account).status == 200)
            #expect(try await browser.get("/").status == 200)
            let strangers = Browser(stage)
            try await strangers.signIn(try await stage.makeAccount("other"))
            #expect(try await strangers.get("/accounts/acme/rotate").status == 404)
        }
    }

    @Test func `A console that only shows has no action, and takes none`() async throws {
        var options = ConsoleOptions()
        options.isReadOnly = true
        try await withAPI(console: options) { stage in
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            let browser = Browser(stage)
            try await browser.signIn(account)
            for path in [
                "/", "/tenants", "/tenants/shop", "/tenants/shop/corpus", "/tokens", "/webhooks", "/templates", "/admins",
                "/sessions",
            ] {
                let page = try await browser.get(path)
                #expect(page.status == 200)
                #expect(page.body.ranges(of: "method=\"post\"").count == 1, "\(path): signing out is all that is sent")
                #expect(!page.text.contains("New "), "\(path)")
            }
            let refused = try await browser.post("/tenants/new", [("form", "form"), ("tenant", "x1"), ("display_name", "x")])
            #expect(refused.status == 403 && refused.text.contains("only shows"))
            #expect(try await stage.ask(.GET, "/v1/tenants/x1", token: account).status == 404)
            #expect(try await browser.post("/sign-out", []).status == 303)
        }
    }

    @Test func `What somebody else has written is text on every page`() async throws {
        let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202E}\u{200B}"
        let text = String(decoding: JSONValue.string(hostile).serialised(), as: UTF8.self)
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            let made = try await stage.ask(.POST, "/v1/tenants", #"{"slug":"shop","display_name":\#(text)}"#, token: account)
            // Names of things take no invisible marks; without them the name is as bad as it gets.
            let name = String(decoding: JSONValue.string(String(hostile.dropLast(2))).serialised(), as: UTF8.self)
            if made.status != 201 {
                #expect(
                    try await stage.ask(.POST, "/v1/tenants", #"{"slug":"shop","display_name":\#(name)}"#, token: account).status
                        == 201)
            }
            _ = try await stage.ask(
                .POST, "/v1/tenants/shop/documents",
                #"{"documents":[{"external_id":\#(name),"title":\#(name),"content":\#(text),"media_type":"text/plain","tags":[\#(name)],"segment":\#(name)}]}"#,
                token: account)
            _ = try await stage.ask(
                .POST, "/v1/tenants/shop/conversations",
                #"{"conversation_id":\#(name),"channel":\#(name),"messages":[{"id":"m1","role":"user","content":\#(text),"user_id":\#(name),"sent_at":"\#(RFC3339.text(SystemClock.nowMicroseconds()))"}]}"#,
                token: account)
            _ = try await stage.ask(.PATCH, "/v1/tenants/shop/settings", #"{"x":\#(text)}"#, token: account)
            _ = try await stage.ask(.POST, "/v1/templates", #"{"name":\#(name),"settings":{"x":\#(text)}}"#, token: account)
            _ = try await stage.ask(.POST, "/v1/tokens", #"{"name":\#(name),"scopes":[]}"#, token: account)
            let browser = Browser(stage)
            try await browser.signIn(account)
            var seen: Set<String> = []
            var waiting = [
                "/", "/tenants?view=table", "/tenants/shop/corpus?ask=alert", "/tenants?q=%3Cscript%3E&sort=slug%22%3E",
            ]
            var withText = 0
            while let path = waiting.popLast(), seen.count < 80 {
                guard seen.insert(path).inserted else { continue }
                let page = try await browser.get(path)
                #expect([200, 400].contains(page.status), "\(path): \(page.status)")
                #expect(!page.body.contains("<script>") && !page.body.contains("<img"), "\(path)")
                // What is to be changed stands in its field as it is.
                #expect(!page.body.replacing(/\svalue="[^"]*"/, with: "").contains("\u{202E}"), "\(path)")
                if page.text.contains("alert(2)") { withText += 1 }
                for match in page.body.matches(of: /href="(\/[^"]*)"/) {
                    let link = match.1.replacing("&amp;", with: "&")
                    let isFile = [".csv", ".json", "/export", "/v1/", "/assets/", "sort=", "metric=", "period=", "by="].contains {
                        link.contains($0)
                    }
                    if !isFile { waiting.append(String(link)) }
                }
            }
            #expect(seen.count > 30 && withText > 8, "\(seen.count) pages, \(withText) with what was written")
        }
    }

    @Test func `However much there is, a page stays a page, and says that it goes on`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            try await stage.makeTenant("shop", token: account)
            let paragraphs = (0..<600).map { "## Part \($0)\\n\\n" + String(repeating: "Word number \($0). ", count: 90) }.joined(
                separator: "\\n\\n")
            let made = try await stage.ask(
                .POST, "/v1/tenants/shop/documents",
                #"{"documents":[{"external_id":"long","title":"Long","media_type":"text/markdown","content":"\#(paragraphs)"}]}"#,
                token: account)
            #expect(made.status == 201, "\(made.body.prefix(300))")
            let now = RFC3339.text(SystemClock.nowMicroseconds())
            let messages = (0..<40).map {
                #"{"id":"m\#($0)","role":"user","user_id":"u","content":"\#(String(repeating: "long ", count: 3_000))","sent_at":"\#(now)"}"#
            }.joined(separator: ",")
            let logged = try await stage.ask(
                .POST, "/v1/tenants/shop/conversations", #"{"conversation_id":"c","messages":[\#(messages)]}"#, token: account)
            #expect(logged.status == 201, "\(logged.body.prefix(300))")
            let browser = Browser(stage)
            try await browser.signIn(account)
            for (path, mark) in [
                ("/tenants/shop/documents/long", "Next passages"), ("/tenants/shop/conversations/c", "It goes on"),
            ] {
                let page = try await browser.get(path)
                #expect(
                    page.status == 200 && page.body.utf8.count < 200_000 && page.text.contains(mark),
                    "\(path): \(page.body.utf8.count)")
            }
            let next = try await browser.get("/tenants/shop/documents/long?from=40")
            #expect(next.text.contains("Next passages") && next.body.utf8.count < 200_000)
        }
    }

    @Test func `A live part is sent again when it has changed`() async throws {
        try await withAPI(console: .init()) { stage in
            let account = try await stage.makeAccount("acme")
            let browser = Browser(stage)
            try await browser.signIn(account)
            try await browser.follow("/tenants") { event in
                event.text("id") == "tenants" && event.text("html")?.contains("late-comer") == true
            } meanwhile: {
                try await stage.makeTenant("late-comer", token: account)
            }
        }
    }

    @Test func `A page that is not there, a method that is none, an address that is too long`() async throws {
        try await withAPI(startsWorker: false, console: .init()) { stage in
            let browser = Browser(stage)
            #expect(try await browser.get("/nowhere").status == 404)
            #expect(try await browser.get("/nowhere", accept: "application/json")["Content-Type"] == "application/problem+json")
            try await browser.signIn(stage.fleet.operatorToken)
            #expect(try await browser.get("/nowhere").status == 404)
            #expect(try await browser.get("/tenants/none").status == 404)
            #expect(try await browser.send(.PUT, "/tenants", nil, [:]).status == 405)
            #expect(try await browser.post("/tenants", [("a", "b")]).status == 405)
            #expect(try await browser.get("/tenants?q=" + String(repeating: "x", count: 9_000)).status == 414)
            #expect(try await browser.get("/tenants?q=%FF").status == 400)
            let style = try await browser.get(Assets.style.path)
            #expect(
                style.status == 200 && style["Cache-Control"]?.contains("immutable") == true
                    && style["Content-Type"]?.hasPrefix("text/css") == true)
            #expect(try await browser.get("/assets/0000000000000000/console.css").status == 404)
            let head = try await browser.send(.HEAD, "/tenants", nil, [:])
            #expect(head.status == 200 && head.body.isEmpty)
        }
    }

    @Test func `Style and script are as small as was promised`() {
        #expect(Assets.style.bytes.readableBytes < 25_000 && Assets.script.bytes.readableBytes < 15_000)
    }
}
