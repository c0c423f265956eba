extension ForeignClientTests {
    /// What a customer's programmer would write, with the wire's description in hand. Prints one JSON object.
    static let script = """
        import json, os, sys, time, uuid
        import pika

        account = sys.argv[1]
        connection = pika.BlockingConnection(pika.URLParameters(os.environ["TENANTRY_AMQP_URL"]))
        channel = connection.channel()
        channel.confirm_delivery()
        answers = channel.queue_declare("", exclusive=True).method.queue
        # A subscriber of its own, bound before anything happens.
        listener = pika.BlockingConnection(pika.URLParameters(os.environ["TENANTRY_AMQP_URL"])).channel()
        inbox = listener.queue_declare("", exclusive=True).method.queue
        listener.queue_bind(inbox, "tenantry.alerts", "limit.#")

        report = {"answers": [], "logged": [], "alerts": [], "disagreements": []}

        def ask(kind, payload, credential, tenant=None, job_id=None):
            job_id = job_id or str(uuid.uuid4())
            headers = {"authorization": "Bearer " + credential}
            if tenant:
                headers["tenant"] = tenant
            channel.basic_publish(
                "tenantry.jobs", kind, json.dumps(payload).encode(),
                pika.BasicProperties(message_id=job_id, type=kind, content_type="application/json", delivery_mode=2,
                                     timestamp=int(time.time()), reply_to=answers, correlation_id="c-" + job_id, headers=headers),
                mandatory=True)
            for _, properties, body in channel.consume(answers, auto_ack=True, inactivity_timeout=60):
                if properties is None:
                    sys.exit("no answer to " + kind)
                if properties.correlation_id == "c-" + job_id:
                    break
            answer = json.loads(body)
            assert properties.type == "job." + answer["status"], properties.type
            assert answer["job_id"] == job_id and answer["kind"] == kind, answer
            report["answers"].append(kind + " " + answer["status"] + (" again" if answer["duplicate"] else ""))
            if answer["status"] != "succeeded":
                sys.exit(json.dumps(answer))
            return answer["result"]

        made = ask("account.create", {"slug": account, "display_name": "Pika & Söhne", "plan": "enterprise", "limits": {"messages": 10}},
                   os.environ["TENANTRY_OPERATOR_TOKEN"])
        credential = made["key"] + "." + made["secret"]
        shop, hotel = account + "-shop", account + "-hotel"
        ask("tenant.create", {"slug": shop, "display_name": "Shop", "limits": {"messages": 20, "documents": 4}}, credential)
        ask("tenant.create", {"slug": hotel, "display_name": "Hotel"}, credential)

        documents = [
            {"external_id": "returns.md", "title": "Returns", "media_type": "text/markdown",
             "content": "# Returns\\n\\nWe take things back.\\n\\n## Time\\n\\nWithin 30 days."},
            {"external_id": "hours.csv", "title": "Hours", "media_type": "text/csv", "content": "day,opens\\nMonday,9:00\\n"},
            {"external_id": "welcome.html", "title": "Welcome", "media_type": "text/html", "content": "<h1>Welcome</h1><p>Grüezi.</p>"},
        ]
        ingested = ask("corpus.ingest", {"documents": documents}, credential, shop, "ingest-1")
        repeated = ask("corpus.ingest", {"documents": documents}, credential, shop, "ingest-1")
        assert ingested == repeated, (ingested, repeated)
        report["ingested"] = [item["status"] if "status" in item else item["outcome"] for item in ingested["documents"]]

        def log(tenant, conversation, first):
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            messages = [{"id": "m-%d" % number, "role": "user", "user_id": "u", "content": "Grüezi %d" % number, "sent_at": now}
                        for number in range(first, first + 5)]
            result = ask("conversation.log", {"conversation_id": conversation, "messages": messages}, credential, tenant)
            report["logged"].append([result["accepted"], result["duplicates"]])

        log(shop, "c-1", 0)
        log(shop, "c-2", 5)
        log(shop, "c-3", 10)
        log(hotel, "c-1", 0)
        log(hotel, "c-2", 5)
        log(hotel, "c-1", 0)  # again, in another job

        # Waits for the pool to be alerted at 200 %, then crosses 300 %: the outbox keeps its order, so what came twice came before that.
        def receive(until):
            for _, properties, body in listener.consume(inbox, auto_ack=True, inactivity_timeout=60):
                if properties is None:
                    sys.exit("no alert of " + until + ": " + json.dumps(report["alerts"]))
                event = json.loads(body)
                data = event["data"]
                if data["account"] != account:
                    continue
                state = event["type"].rsplit(".", 1)[1]
                text = " ".join([state, data["metric"], account, data["tenant"] or "_pool", str(data["threshold_percent"])])
                report["alerts"].append(text)
                if properties.message_id != event["id"] or properties.content_type != "application/cloudevents+json":
                    report["disagreements"].append(text + ": properties")
                if (data["tenant"] is None) != (data["scope"] == "pool") or data["value"] * 100 < data["threshold_percent"] * data["limit"]:
                    report["disagreements"].append(text + ": data")
                if text == until:
                    return

        receive("breached messages %s _pool 200" % account)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        channel.basic_publish(
            "tenantry.jobs", "conversation.log",
            json.dumps({"conversation_id": "c-9", "messages": [
                {"id": "last-%d" % number, "role": "assistant", "content": "x", "sent_at": now} for number in range(5)]}).encode(),
            pika.BasicProperties(message_id=str(uuid.uuid4()), delivery_mode=2,
                                 headers={"authorization": "Bearer " + credential, "tenant": hotel}), mandatory=True)
        receive("breached messages %s _pool 300" % account)
        print(json.dumps(report))
        """
}
