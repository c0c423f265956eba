"""One life of an account over AMQP, as a customer's programmer would write it with the published contract in hand and nothing else.

Every kind is sent well and badly. What is sent well is valid by its published schema, is answered by its published schema, and is answered
the same when it comes again; what is sent badly is refused with the code and the place expected. The document that `tenantry contract`
prints comes on standard input, the fleet is named by the environment, the account by the first argument. Prints one JSON object.
"""

import datetime
import json
import os
import subprocess
import sys
import time
import uuid

import jsonschema
import pika
import referencing
import referencing.jsonschema

ANSWER_SECONDS = 60

document = json.load(sys.stdin)
registry = referencing.Registry().with_resource("document", referencing.Resource(document, referencing.jsonschema.DRAFT202012))
report = {"good": [], "bad": [], "events": [], "complaints": []}


def complain(text):
    report["complaints"].append(text)


def validate(what, schema, value):
    """Complains where a value is not what a schema of the document says."""
    validator = jsonschema.Draft202012Validator({"$ref": "document#/components/schemas/" + schema}, registry=registry)
    for error in validator.iter_errors(value):
        complain(f"{what}: {'/'.join(str(step) for step in error.absolute_path)} {error.message[:300]}")


class Wire:
    """A connection that sends jobs and reads answers, and another one that listens to events from the start."""

    def __init__(self, account):
        self.channel = pika.BlockingConnection(pika.URLParameters(os.environ["TENANTRY_AMQP_URL"])).channel()
        self.channel.confirm_delivery()
        self.answers = self.channel.queue_declare("", exclusive=True).method.queue
        self.listener = pika.BlockingConnection(pika.URLParameters(os.environ["TENANTRY_AMQP_URL"])).channel()
        self.inbox = self.listener.queue_declare("", exclusive=True).method.queue
        for key in [f"*.*.{account}.#", "job.#"]:
            self.listener.queue_bind(self.inbox, "tenantry.events", key)
        self.account = account
        self.silent = set()  # jobs whose outcome nobody has told

    def send(self, kind, body, credential, tenant=None, job_id=None):
        """Publishes one job and returns its answer."""
        job_id = job_id or str(uuid.uuid4())
        correlation = str(uuid.uuid4())
        headers = {"authorization": "Bearer " + credential} | ({"tenant": tenant} if tenant else {})
        properties = pika.BasicProperties(
            message_id=job_id, type=kind, content_type="application/json", delivery_mode=2, timestamp=int(time.time()),
            reply_to=self.answers, correlation_id=correlation, headers=headers,
        )  # fmt: skip
        self.channel.basic_publish("tenantry.jobs", kind, body, properties, mandatory=True)
        self.silent.add(job_id)
        for _, properties, answer in self.channel.consume(self.answers, auto_ack=True, inactivity_timeout=ANSWER_SECONDS):
            if properties is None:
                sys.exit(f"no answer to {kind}; so far {json.dumps(report)}")
            if properties.correlation_id != correlation:
                complain(f"{kind} is answered under the correlation id of another job")
                continue
            answer = json.loads(answer)
            if properties.type != "job." + answer["status"] or answer["job_id"] != job_id:
                complain(f"{kind}'s answer is not its own: {properties.type} {answer}")
            validate(f"{kind}'s answer", kind + ".answer", answer)
            return answer

    def good(self, kind, payload, credential, tenant=None, is_repeated=True):
        """A job that has to succeed, twice; the result of its first answer."""
        message = document["components"]["messages"][kind]
        validate(f"{kind}'s payload", kind, payload)
        headers = {"authorization": "Bearer " + credential} | ({"tenant": tenant} if tenant else {})
        validate(f"{kind}'s headers", message["headers"]["$ref"].rsplit("/", 1)[1], headers)
        job_id = "good-" + str(uuid.uuid4())
        body = json.dumps(payload).encode()
        first = self.send(kind, body, credential, tenant, job_id)
        if first["status"] != "succeeded" or first["duplicate"]:
            sys.exit(f"{kind} did not succeed: {json.dumps(first)}; so far {json.dumps(report)}")
        described = document["components"]["schemas"][kind + ".result"]["properties"]
        for name in first["result"].keys() - described.keys():
            complain(f"{kind} answers with {name}, which its schema does not describe")
        if is_repeated:
            self.repeat(kind, body, credential, tenant, first)
        report["good"].append(kind)
        return first["result"]

    def repeat(self, kind, body, credential, tenant, first):
        again = self.send(kind, body, credential, tenant, first["job_id"])
        expected = {name: value for name, value in first["result"].items() if name != "secret"}
        if kind == "conversation.log":
            expected = {"accepted": 0, "duplicates": first["result"]["accepted"] + first["result"]["duplicates"]}
        if again["status"] != "succeeded" or not again["duplicate"] or again["result"] != expected:
            complain(f"{kind}, sent again: {again}, not {expected}")

    def bad(self, kind, payload, credential, tenant, code, field=None):
        """A job that has to be refused, with this code and place."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        answer = self.send(kind, body, credential, tenant)
        error = answer["error"] or {}
        if (answer["status"], error.get("code"), error.get("field")) != ("rejected", code, field):
            complain(f"{kind} {body[:200]} was answered {json.dumps(answer)}, not {code} at {field}")
        report["bad"].append(f"{kind} {code}")

    def hear(self, last):
        """Reads events until this one has come."""
        for method, properties, body in self.listener.consume(self.inbox, auto_ack=True, inactivity_timeout=ANSWER_SECONDS):
            if method is None:
                return complain(f"no event {last}")
            event = json.loads(body)
            if method.routing_key.startswith("job."):
                self.silent.discard(event["job_id"])
                validate("an outcome", "outcome", event)
                continue
            name = event["event"]
            if name not in document["components"]["messages"]:
                complain(f"the event {name} is not in the document")
                continue
            validate(f"the event {name}", name, event)
            subject = [event["account"]] + ([event["tenant"]] if event.get("tenant") else [])
            if method.routing_key != ".".join([name, *subject]) or properties.type != name or not properties.message_id:
                complain(f"the event {name} came as {method.routing_key}, {properties.type}")
            report["events"].append(" ".join([name, *subject[1:]]).replace(self.account + "-", ""))
            if report["events"][-1] == last:
                return None


def psql(sql):
    subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, os.environ["TENANTRY_DATABASE_URL"]],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def at(hours=0):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def credential_of(result):
    return result["key"] + "." + result["secret"]


RETURNS = {"external_id": "returns.md", "title": "Returns", "media_type": "text/markdown",
           "content": "# Returns\n\nWe take things back.\n\n## Time\n\nWithin 30 days."}  # fmt: skip
HOURS = {"external_id": "hours.csv", "title": "Hours", "media_type": "text/csv", "content_base64": "ZGF5LG9wZW5zCk1vbmRheSw5OjAwCg=="}


class Life:
    """The account's, chapter by chapter."""

    def __init__(self, account):
        self.account = account
        self.wire = Wire(account)
        self.operator = os.environ["TENANTRY_OPERATOR_TOKEN"]
        self.shop, self.hotel, self.cafe, self.test = (f"{account}-{name}" for name in ["shop", "hotel", "cafe", "test"])

    def account_opens(self):
        good, bad = self.wire.good, self.wire.bad
        payload = {"slug": self.account, "display_name": "Pika & Söhne", "plan": "enterprise", "slug_prefix": self.account + "-"}
        self.key = credential_of(good("account.create", payload, self.operator))
        bad("account.create", payload, self.operator, None, "slug_taken", "/slug")
        bad("account.create", payload | {"slug": "No"}, self.operator, None, "invalid_payload", "/slug")
        bad("account.create", payload | {"plan": "gold"}, self.operator, None, "invalid_payload", "/plan")
        bad("account.create", payload | {"timezone": "Mars/Olympus"}, self.operator, None, "invalid_payload", "/timezone")
        bad("account.create", payload, self.key, None, "forbidden")
        good("account.update", {"account": self.account, "limits": {"messages": 1000, "tokens": None}}, self.operator)
        bad("account.update", {"account": self.account + "-x"}, self.operator, None, "account_unknown", "/account")
        nowhere = {"account": self.account, "billing_anchor_day": 0}
        bad("account.update", nowhere, self.operator, None, "invalid_payload", "/billing_anchor_day")

    def tenants_open(self):
        good, bad, key = self.wire.good, self.wire.bad, self.key
        template = {"name": "Shops", "settings": {"language": "en", "hours": {"opens": 9}}, "documents": [RETURNS, HOURS]}
        good("template.save", template, key)
        bad("template.save", {"name": "Shops", "documents": [RETURNS, RETURNS]}, key, None, "invalid_payload", "/documents/1/external_id")
        bad("template.save", {"name": ""}, key, None, "invalid_payload", "/name")

        payload = {"slug": self.shop, "display_name": "Shop", "template": "Shops", "settings": {"hours": {"opens": 10}},
                   "limits": {"documents": 5}}  # fmt: skip
        good("tenant.create", payload, key)
        bad("tenant.create", payload, key, None, "slug_taken", "/slug")
        bad("tenant.create", payload | {"slug": "other-shop"}, key, None, "invalid_payload", "/slug")
        bad("tenant.create", payload | {"slug": self.hotel, "template": "Hotels"}, key, None, "invalid_payload", "/template")
        bad("tenant.create", payload, self.operator, None, "forbidden")

        manifest = {
            "defaults": {"display_name": "Branch", "environment": "staging", "settings": {"language": "en"}},
            "tenants": [{"slug": self.hotel, "display_name": "Hotel"}, {"slug": self.cafe}, {"slug": self.test}, {"slug": self.shop},
                        {"slug": self.account + "-bad", "plan": "gold"}],
        }  # fmt: skip
        made = good("tenant.create_many", manifest, key)
        counts = [made["created"], made["existing"], made["rejected"]]
        statuses = [item["status"] for item in made["tenants"]]
        if counts != [3, 1, 1] or statuses != ["created"] * 3 + ["exists", "rejected"]:
            complain(f"tenant.create_many made {made}")
        if made["tenants"][4]["error"]["field"] != "/tenants/4/plan":
            complain(f"tenant.create_many blames {made['tenants'][4]}")
        bad("tenant.create_many", {"tenants": []}, key, None, "invalid_payload", "/tenants")
        bad("tenant.create_many", {"tenants": [7]}, key, None, "invalid_payload", "/tenants/0")

        good("tenant.update", {"display_name": "The Shop", "settings": {"greeting": "Grüezi", "hours": None}}, key, self.shop)
        bad("tenant.update", {}, key, self.shop, "invalid_payload", "")
        bad("tenant.update", {"plan": "gold"}, key, self.shop, "invalid_payload", "/plan")
        bad("tenant.update", {"display_name": "x"}, key, None, "invalid_payload")
        applied = good("template.apply", {"template": "Shops"}, key, self.hotel)
        if [item["status"] for item in applied["documents"]] != ["created", "created"]:
            complain(f"template.apply: {applied}")
        bad("template.apply", {"template": "Hotels"}, key, self.hotel, "invalid_payload", "/template")

    def people_come(self):
        good, bad, key = self.wire.good, self.wire.bad, self.key
        ada = {"email": "Ada@example.com", "display_name": "Ada", "role": "tenant_admin", "password": "correct horse"}
        admin = credential_of(good("admin.create", ada, key, self.shop))
        bad("admin.create", ada, key, self.shop, "conflict", "/email")
        bad("admin.create", ada, key, None, "invalid_payload", "/role")
        bad("admin.create", ada | {"password": "short"}, key, self.shop, "invalid_payload", "/password")
        bad("admin.create", ada, admin, self.hotel, "forbidden")
        self.wire.good("tenant.update", {"settings": {"greeting": "Hello"}}, admin, self.shop)
        bad("tenant.update", {"display_name": "Mine"}, admin, self.shop, "forbidden", "/display_name")

        issue = {"name": "website", "scopes": ["corpus:write", "conversation:write"], "expires_at": at(hours=1)}
        self.token = credential_of(good("token.issue", issue, key, self.shop))
        bad("token.issue", issue | {"scopes": []}, key, self.shop, "invalid_payload", "/scopes")
        bad("token.issue", issue | {"expires_at": at(hours=-1)}, key, self.shop, "invalid_payload", "/expires_at")
        bad("token.issue", issue | {"scopes": ["conversation:erase"]}, self.token, self.shop, "forbidden", "/scopes")

    def business_goes_on(self):
        good, bad, token, shop = self.wire.good, self.wire.bad, self.token, self.shop
        welcome = {"external_id": "welcome.html", "title": "Welcome", "media_type": "text/html", "content": "<h1>Grüezi</h1>"}
        ingested = good("corpus.ingest", {"documents": [welcome, RETURNS]}, token, shop)
        if [item["status"] for item in ingested["documents"]] != ["created", "unchanged"]:
            complain(f"corpus.ingest: {ingested}")
        image = welcome | {"media_type": "image/png"}
        bad("corpus.ingest", {"documents": [image]}, token, shop, "invalid_payload", "/documents/0/media_type")
        bad("corpus.ingest", {"documents": [welcome]}, token, self.hotel, "forbidden")
        more = [welcome | {"external_id": f"more-{number}", "content": f"More {number}."} for number in range(3)]
        bad("corpus.ingest", {"documents": more}, token, shop, "limit_reached")
        removed = good("corpus.remove", {"external_ids": ["hours.csv", "nowhere"]}, token, shop)
        if removed != {"removed": ["hours.csv"], "missing": ["nowhere"]}:
            complain(f"corpus.remove: {removed}")
        bad("corpus.remove", {"external_ids": [""]}, token, shop, "invalid_payload", "/external_ids/0")

        messages = [
            {"id": f"m-{number}", "role": "user", "user_id": f"u-{number % 2}", "content": "Grüezi", "sent_at": at(), "tokens_in": 3}
            for number in range(4)
        ]
        for conversation, its in [("c-1", messages[:2]), ("c-2", messages[2:])]:
            logged = good("conversation.log", {"conversation_id": conversation, "channel": "web", "messages": its}, token, shop)
            if logged != {"accepted": 2, "duplicates": 0}:
                complain(f"conversation.log: {logged}")
        for wrong, field in [({"role": "bot"}, "role"), ({"sent_at": at(hours=48)}, "sent_at")]:
            talk = {"conversation_id": "c-1", "messages": [messages[0] | wrong]}
            bad("conversation.log", talk, token, shop, "invalid_payload", f"/messages/0/{field}")
        feedback = {"conversation_id": "c-1", "message_id": "m-1", "rating": -1, "comment": "Too short."}
        good("conversation.feedback", feedback, token, shop)
        bad("conversation.feedback", feedback | {"rating": 0}, token, shop, "invalid_payload", "/rating")
        bad("conversation.feedback", feedback | {"message_id": "m-9"}, token, shop, "invalid_payload", "/message_id")
        erased = good("conversation.erase", {"conversation_id": "c-2"}, self.key, shop)
        if (erased["messages"], erased["conversations"]) != (2, 1):
            complain(f"conversation.erase: {erased}")
        bad("conversation.erase", {"conversation_id": "c-1"}, token, shop, "forbidden")
        bad("conversation.erase", {"conversation_id": "c-1", "user_id": "u-1"}, self.key, shop, "invalid_payload", "/user_id")
        usage = good("usage.aggregate", {}, self.key)
        if (usage["account"], usage["tenants"], usage["corrections"]) != (self.account, 4, 0):
            complain(f"usage.aggregate: {usage}")
        bad("usage.aggregate", {"period": "2026-13"}, self.key, None, "invalid_payload", "/period")
        bad("usage.aggregate", {"account": "another"}, self.key, None, "forbidden", "/account")
        bad("usage.aggregate", {}, self.operator, None, "invalid_payload", "/account")

    def tenants_rest_and_go(self):
        good, bad, key, cafe = self.wire.good, self.wire.bad, self.key, self.cafe
        talk = {"conversation_id": "c", "messages": [{"id": "m", "role": "user", "content": "x", "sent_at": at()}]}
        good("tenant.suspend", {}, key, cafe)
        bad("conversation.log", talk, key, cafe, "tenant_suspended")
        bad("tenant.suspend", [], key, cafe, "invalid_payload", "")
        bad("tenant.suspend", {}, key, self.account + "-none", "tenant_unknown")
        good("tenant.resume", {}, key, cafe)
        good("conversation.log", talk, key, cafe)
        bad("tenant.resume", {}, self.token, cafe, "forbidden")
        bad("tenant.resume", {}, key, None, "invalid_payload")
        archived = good("tenant.delete", {"retention_days": 7}, key, cafe)
        if archived["state"] != "archived":
            complain(f"tenant.delete: {archived}")
        bad("conversation.log", talk, key, cafe, "tenant_suspended")
        bad("tenant.delete", {"mode": "burn"}, key, cafe, "invalid_payload", "/mode")
        bad("tenant.delete", {"mode": "purge", "retention_days": 7}, key, cafe, "invalid_payload", "/retention_days")
        good("tenant.restore", {}, key, cafe)
        bad("tenant.restore", "now", key, cafe, "invalid_payload", "")
        purged = good("tenant.delete", {"mode": "purge"}, key, cafe)
        if purged["state"] != "purged" or not purged["purged"]["schema_is_gone"] or purged["purged"]["rows"].get("messages") != 1:
            complain(f"tenant.delete: {purged}")
        bad("tenant.restore", {}, key, cafe, "tenant_unknown")
        bad("tenant.delete", {}, key, cafe, "tenant_unknown")
        bad("tenant.create", {"slug": cafe, "display_name": "Again"}, key, None, "slug_taken", "/slug")

    def people_go(self):
        good, bad, key, shop = self.wire.good, self.wire.bad, self.key, self.shop
        bad("token.revoke", {}, key, shop, "invalid_payload", "/key")
        bad("token.revoke", {"name": "nobody"}, key, shop, "invalid_payload", "/name")
        revoked = good("token.revoke", {"name": "website"}, key, shop)
        if revoked["revoked"] != [self.token.split(".")[0]]:
            complain(f"token.revoke: {revoked}")
        bad("corpus.remove", {"external_ids": ["returns.md"]}, self.token, shop, "unauthenticated")
        bad("admin.remove", {"email": "grace@example.com"}, key, shop, "invalid_payload", "/email")
        bad("admin.remove", {"email": "ada"}, key, shop, "invalid_payload", "/email")
        good("admin.remove", {"email": "ada@EXAMPLE.com"}, key, shop)
        good("template.remove", {"name": "Shops"}, key)
        bad("template.remove", {"name": "Shops"}, key, None, "invalid_payload", "/name")

    def webhooks_come_and_go(self):
        good, bad, key = self.wire.good, self.wire.bad, self.key
        hook = {"url": "https://hooks.example.com/tenantry", "events": ["limit.#"]}
        bad("webhook.create", hook | {"url": "https://10.0.0.1/"}, key, None, "invalid_payload", "/url")
        named = {"webhook": good("webhook.create", hook, key)["webhook"], "description": "Limits", "since": at(-1)}
        good("webhook.resend", good("webhook.test", named, key), key)
        for verb in ["update", "rotate", "recover", "remove"]:
            good(f"webhook.{verb}", named, key)
        for verb in ["update", "rotate", "recover", "remove", "test", "resend"]:
            bad(f"webhook.{verb}", named | {"delivery": "1"}, key, None, "invalid_payload", "/webhook")

    def bill_comes(self):
        """The account is new: it is made older, and a month's use is put where the fleet keeps it."""
        good, bad, key = self.wire.good, self.wire.bad, self.key
        now = datetime.datetime.now(datetime.timezone.utc)
        before = now.replace(day=1) - datetime.timedelta(days=1)
        period = before.strftime("%Y-%m")
        psql(
            f"update tenantry.accounts set created_at = now() - interval '3 months' where slug = '{self.account}';"
            f"update tenantry.tenants set created_at = now() - interval '3 months' where account = '{self.account}';"
            "insert into tenantry.tenant_usage (tenant, account, period_start, period_end, messages)"
            f" values ('{self.shop}', '{self.account}', '{period}-01T00:00:00Z', '{now.strftime('%Y-%m')}-01T00:00:00Z', 150000)"
        )
        closed = good("billing.close", {"period": period}, key)
        # By the shipped plans.yaml: 299.00, and 3.00 for each thousand of the 50,000 beyond what is included.
        invoice = {"invoice": f"{self.account}.{period}", "account": self.account, "total": 29_900 + 50 * 300, "currency": "EUR"}
        if closed["invoices"] != [invoice]:
            complain(f"billing.close: {closed['invoices']}, not {invoice}")
        bad("billing.close", {"period": now.strftime("%Y-%m")}, key, None, "invalid_payload", "/period")
        bad("billing.close", {"period": "2026"}, key, None, "invalid_payload", "/period")
        bad("billing.close", {"period": period, "account": "another"}, key, None, "forbidden", "/account")

    def keys_change(self):
        good, bad, old = self.wire.good, self.wire.bad, self.key
        rotated = good("account.rotate", {"overlap_seconds": 3600}, old)
        self.key = credential_of(rotated)
        bad("account.rotate", {"overlap_seconds": -1}, self.key, None, "invalid_payload", "/overlap_seconds")
        bad("account.rotate", {"account": "another"}, self.key, None, "forbidden", "/account")
        # Both work meanwhile; a rotation without an overlap ends those before it.
        for key in [old, self.key]:
            self.wire.good("tenant.update", {"settings": {"rotated": key == old}}, key, self.shop)
        last = credential_of(good("account.rotate", {"overlap_seconds": 0}, self.key, is_repeated=False))
        for key in [old, self.key]:
            bad("tenant.update", {"settings": {}}, key, self.shop, "unauthenticated")
        self.key = last

    def nonsense(self):
        """What holds for every kind."""
        for kind in sorted(name for name, operation in document["operations"].items() if operation["action"] == "receive"):
            who = document["components"]["messages"][kind]["x-tenantry"]["who"]
            key = self.key if "account" in who else self.operator
            needs_tenant = "tenant" in document["components"]["schemas"][
                document["components"]["messages"][kind]["headers"]["$ref"].rsplit("/", 1)[1]
            ]["required"]
            tenant = self.shop if needs_tenant else None
            self.wire.bad(kind, b'{"a": ', key, tenant, "malformed_json")
            self.wire.bad(kind, {}, key + "x", tenant, "unauthenticated")

    def run(self):
        self.account_opens()
        self.tenants_open()
        self.people_come()
        self.business_goes_on()
        self.tenants_rest_and_go()
        self.people_go()
        self.webhooks_come_and_go()
        self.bill_comes()
        self.keys_change()
        self.nonsense()
        # The outbox keeps its order: when this one has come, so have all before it.
        self.wire.good("tenant.suspend", {}, self.key, self.test)
        self.wire.hear("tenant.suspended test")
        if len(self.wire.silent) > 1:
            complain(f"{len(self.wire.silent)} jobs without an outcome on tenantry.events")


def main():
    Life(sys.argv[1]).run()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
