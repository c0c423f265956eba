"""The parts of deploy/benchmark-console that ask for pages.

pages URL ACCOUNT OPERATOR ROUNDS                  asks for each page so many times; prints p50, p95 and the longest in ms, and its bytes
streams URL ACCOUNT OPERATOR COUNT SECONDS PID     holds so many pages' streams of events; prints what that takes of a processor
"""

import http.client
import os
import pathlib
import statistics
import sys
import threading
import time
import urllib.parse

TENANT = "load-00000"
OF_ACCOUNT = [
    "/", "/tenants", "/tenants?view=table", "/tenants?q=load-09", "/tenants?idle=true", "/usage", "/usage?by=hour", "/usage?by=month", "/alerts", "/audit",
    "/tokens", "/webhooks", f"/tenants/{TENANT}", f"/tenants/{TENANT}/conversations", f"/tenants/{TENANT}/conversations/x-7",
    f"/tenants/{TENANT}/conversations?q=Saturdays", f"/tenants/{TENANT}/corpus", f"/tenants/{TENANT}/settings", f"/tenants/{TENANT}/usage",
]  # fmt: skip
OF_OPERATOR = ["/", "/fleet", "/dead", "/accounts", "/tenants", "/usage?account=load", "/alerts", "/audit"]


class Browser:
    def __init__(self, url, credential):
        parts = urllib.parse.urlsplit(url)
        self.place = parts.hostname, parts.port
        self.connection = http.client.HTTPConnection(*self.place, timeout=60)
        body = urllib.parse.urlencode({"form": "credential", "credential": credential})
        self.connection.request("POST", "/sign-in", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = self.connection.getresponse()
        answer.read()
        if answer.status != 303:
            sys.exit(f"signing in was answered with {answer.status}")
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def get(self, path):
        self.connection.request("GET", path, headers={"Cookie": self.cookie, "Accept": "text/html"})
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def pages(url, account, operator, rounds):
    for who, credential, paths in (("account", account, OF_ACCOUNT), ("operator", operator, OF_OPERATOR)):
        browser = Browser(url, credential)
        for path in paths:
            times, size = [], 0
            # The first has statements prepared and pages read from disk, for each of the connections to the database.
            for turn in range(int(rounds) + 8):
                start = time.perf_counter()
                status, body = browser.get(path)
                if status != 200:
                    sys.exit(f"{who} {path}: {status}")
                if turn >= 8:
                    times.append((time.perf_counter() - start) * 1000)
                size = len(body)
            print(
                f"{who} {path}: p50 {statistics.median(times):.1f} ms, p95 {statistics.quantiles(times, n=20)[18]:.1f} ms, "
                f"most {max(times):.1f} ms, {size} bytes",
                flush=True,
            )


def hold(browser, path):
    connection = http.client.HTTPConnection(*browser.place, timeout=600)
    connection.request("GET", path, headers={"Cookie": browser.cookie, "Accept": "text/event-stream"})
    answer = connection.getresponse()
    if answer.status != 200:
        sys.exit(f"{path}: {answer.status}")
    while answer.readline():
        pass


def seconds_used(pids):
    """Of the processor, by these processes."""
    total = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except FileNotFoundError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def backends():
    """PostgreSQL's processes for connections of the API's."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"postgres: tenantry_api"):
                found.append(path.parent.name)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def streams(url, account, operator, count, seconds, pid):
    browsers = [Browser(url, account) for _ in range(5)] + [Browser(url, operator) for _ in range(5)]
    for number in range(int(count)):
        index = number % len(browsers)
        paths = OF_ACCOUNT if index < 5 else OF_OPERATOR
        path = paths[number // len(browsers) % len(paths)]
        threading.Thread(target=hold, args=(browsers[index], path), daemon=True).start()
    # After a while of nothing they look less often.
    time.sleep(60)
    own, theirs = seconds_used([pid]), seconds_used(backends())
    time.sleep(float(seconds))
    own, theirs = seconds_used([pid]) - own, seconds_used(backends()) - theirs
    print(
        f"{count} open pages: {100 * own / float(seconds):.1f} % of a core in the API, {100 * theirs / float(seconds):.1f} % in the database's backends for it"
    )


{"pages": pages, "streams": streams}[sys.argv[1]](*sys.argv[2:])
