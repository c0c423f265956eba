"""The parts of deploy/benchmark-api that wrk does not do.

documents TENANT                        prints a corpus.ingest of 200 documents
writes URL AMQP_URL TOKEN TENANT COUNT  the same job by HTTP and by AMQP in turn, each when the one before is answered; prints p50 and p99 of both
idle HOST PORT TOKEN COUNT              opens so many connections, each with one request answered, says "open", and holds them
"""

import datetime
import http.client
import json
import random
import socket
import statistics
import sys
import time
import urllib.parse
import uuid


def documents(tenant):
    words = "museum opening hours tickets guide garden river station late summer winter morning tour family".split()
    items, draw = [], random.Random(1)
    for index in range(200):
        text = " ".join(draw.choice(words) for _ in range(300))
        items.append({"external_id": f"doc-{index}", "title": f"{tenant} {index}", "media_type": "text/plain", "content": text})
    print(json.dumps({"documents": items}))


def job():
    sent_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
    message = {"id": str(uuid.uuid4()), "role": "user", "user_id": "u", "content": "When do you open? " * 10, "sent_at": sent_at}
    return json.dumps({"conversation_id": "benchmark", "messages": [message]})


class HTTPSender:
    def __init__(self, url, token, tenant):
        parts = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        self.path = f"/v1/tenants/{tenant}/conversations"
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(self):
        self.connection.request("POST", self.path, job(), self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status not in (200, 201):
            sys.exit(f"HTTP answered {answer.status}: {body[:500]}")


class AMQPSender:
    def __init__(self, url, token, tenant):
        import pika

        self.pika = pika
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.headers = {"authorization": f"Bearer {token}", "tenant": tenant}
        self.answer = None
        self.channel.basic_consume("amq.rabbitmq.reply-to", self.take, auto_ack=True)

    def take(self, channel, method, properties, body):
        self.answer = json.loads(body)

    def send(self):
        self.answer = None
        properties = self.pika.BasicProperties(
            message_id=str(uuid.uuid4()), type="conversation.log", content_type="application/json", delivery_mode=2,
            reply_to="amq.rabbitmq.reply-to", headers=self.headers)
        self.channel.basic_publish("tenantry.jobs", "conversation.log", job(), properties)
        while self.answer is None:
            self.connection.process_data_events(time_limit=1)
        if self.answer["status"] != "succeeded":
            sys.exit(f"AMQP answered {self.answer}")


def writes(url, amqp_url, token, tenant, count):
    senders = {"http": HTTPSender(url, token, tenant), "amqp": AMQPSender(amqp_url, token, tenant)}
    times = {name: [] for name in senders}
    # In turn, so that whatever else happens on the machine meets both; the first ones warm up.
    for round_number in range(int(count) + 100):
        for name, sender in senders.items():
            start = time.perf_counter()
            sender.send()
            if round_number >= 100:
                times[name].append((time.perf_counter() - start) * 1000)
    halves = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        print(f"write by {name}: p50 {halves[name]:.2f} ms, p99 {statistics.quantiles(values, n=100)[98]:.2f} ms, {len(values)} jobs")
    print(f"overhead of a write by http over amqp: p50 {halves['http'] - halves['amqp']:.2f} ms")


def idle(host, port, token, count):
    request = f"GET /v1/me HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    held = []
    for _ in range(int(count)):
        connection = socket.create_connection((host, int(port)), timeout=30)
        connection.sendall(request)
        if not connection.recv(65536).startswith(b"HTTP/1.1 200"):
            sys.exit("a connection was not answered with 200")
        held.append(connection)
    print("open", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    {"documents": documents, "writes": writes, "idle": idle}[sys.argv[1]](*sys.argv[2:])
