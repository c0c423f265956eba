"""Each page of the console that can be reached, held against what was promised of all of them."""

import pathlib
import re
import sys

from console_browser import Visitor, drain, fault, performance, say

WIDTHS = (1440, 375)
THEMES = ("light", "dark")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What another theme can change, and what another width can.
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
PLACES = {"type": "rule", "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]}
MOST_BYTES = 200_000
MOST_PAGES = 90
# Words of paths that are no names: of what stands between them, a few pages are enough.
WORDS = set("""tenants corpus documents conversations settings usage tokens admins webhooks deliveries change delete suspend resume restore remove rotate
    revoke erase new manifest apply-template accounts look dead letters all fleet alerts templates invoices print plans audit sessions help jobs""".split())


class Pages:
    """Each page that one role can reach, held against what was promised of all of them."""

    def __init__(self, visitor, role, shots, most_of_kind):
        self.visitor, self.role, self.shots, self.most_of_kind = visitor, role, shots, most_of_kind
        self.axe = next(pathlib.Path(sys.prefix).glob("lib/python3*/site-packages/axe_playwright_python/axe.min.js")).read_text()
        self.kinds = {}
        self.count = 0

    def run(self):
        waiting, seen = ["/"], set()
        while waiting and self.count < MOST_PAGES:
            path = waiting.pop(0)
            if path in seen:
                continue
            seen.add(path)
            kind = self.kind(path)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
            if self.kinds[kind] > self.most_of_kind:
                continue
            self.look(path)
            waiting += self.links()
        say(f"{self.role}: {self.count} pages")
        if self.count < 8:
            fault(f"{self.role}: only {self.count} pages were reached")

    def kind(self, path):
        """A path without its names, and of its query the names alone."""
        halves = path.split("?", 1)
        parts = [part if part in WORDS else "*" for part in halves[0].split("/")]
        names = {item.split("=")[0] for item in halves[1].split("&")} - {"sort", "order"} if len(halves) == 2 else set()
        return "/".join(parts) + "?" + "&".join(sorted(names))

    def links(self):
        found = []
        for link in self.visitor.driver.execute_script(
            "return [...document.querySelectorAll('a[href]:not([download])')].map((a) => a.getAttribute('href'))"
        ):
            if not link.startswith(("/", "?")) or re.search(r"\.(csv|json)(\?|$)|^/v1/|/export$|/print$|^/sign-", link):
                continue
            found.append(link.split("#")[0])
        return found

    def look(self, path):
        self.count += 1
        driver = self.visitor.driver
        for width in WIDTHS:
            self.visitor.size(width)
            self.visitor.theme(THEMES[0])
            drain(driver)
            self.visitor.go(path)
            self.check_requests(path, width)
            self.check_page(path, width)
            for theme in THEMES:
                self.visitor.theme(theme)
                rules = COLOURS if theme != THEMES[0] else RULES if width == WIDTHS[0] else PLACES
                self.check_access(f"{self.role} {path} {width} {theme}", rules)
                if self.shots:
                    self.shoot(path, width, theme)
            for entry in driver.get_log("browser"):
                if entry["level"] in ("SEVERE", "WARNING"):
                    fault(f"{self.role} {path} {width}: console: {entry['message'][:200]}")

    def check_requests(self, path, width):
        """What the browser asked for: of this origin, little, and the page itself with 200."""
        total = 0
        for event in performance(self.visitor.driver):
            if event["method"] == "Network.requestWillBeSent":
                url = event["params"]["request"]["url"]
                if not url.startswith((self.visitor.origin, "data:")):
                    fault(f"{self.role} {path}: a request to {url[:100]}")
            elif event["method"] == "Network.responseReceived" and event["params"]["type"] == "Document":
                status = event["params"]["response"]["status"]
                if status != 200:
                    fault(f"{self.role} {path} {width}: status {status}")
            elif event["method"] == "Network.loadingFinished":
                total += event["params"]["encodedDataLength"]
        if total > MOST_BYTES:
            fault(f"{self.role} {path}: {total} bytes")

    def check_page(self, path, width):
        found = self.visitor.driver.execute_script(
            """
            const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
            return {
              over: document.documentElement.scrollWidth - window.innerWidth, title: document.title,
              headings: [...document.querySelectorAll('h1')].map((heading) => heading.textContent),
              twice: ids.filter((id, index) => ids.indexOf(id) !== index),
              bad: [...document.querySelectorAll('*')].filter((element) => [...element.attributes].some((attribute) =>
                /^on/i.test(attribute.name) || attribute.name === 'style' || /^\\s*javascript:/i.test(attribute.value))).length,
              inline: [...document.querySelectorAll('script, style')].filter((element) => element.textContent.trim()).length,
            };
            """
        )
        place = f"{self.role} {path} {width}"
        if found["over"] > 0:
            fault(f"{place}: {found['over']} pixels too wide")
        if len(found["headings"]) != 1 or not found["headings"][0].strip() or not found["title"].strip():
            fault(f"{place}: headings {found['headings']}, title {found['title']!r}")
        if found["twice"]:
            fault(f"{place}: ids that are there twice: {found['twice']}")
        if found["bad"] or found["inline"]:
            fault(f"{place}: {found['bad']} attributes with scripts or styles, {found['inline']} such elements")
        if self.visitor.alert() is not None:
            fault(f"{place}: an alert opened")

    def check_access(self, place, rules):
        driver = self.visitor.driver
        if not driver.execute_script("return 'axe' in window"):
            driver.execute_script(self.axe)
        violations = driver.execute_async_script(
            """
            const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'], runOnly: arguments[0] }).then((result) => done(result.violations.map((violation) =>
              [violation.id, violation.nodes.slice(0, 3).map((node) => node.target.join(' ') + ': ' + node.failureSummary.replace(/\\s+/g, ' '))])));
            """,
            rules,
        )
        for rule, nodes in violations:
            fault(f"{place}: {rule}: {' | '.join(nodes)[:600]}")

    def shoot(self, path, width, theme):
        driver = self.visitor.driver
        height = driver.execute_script("return document.documentElement.scrollHeight")
        self.visitor.size(width, min(3_000, max(600, height)))
        name = re.sub(r"[^A-Za-z0-9]+", "_", path).strip("_")[:80] or "home"
        driver.save_screenshot(str(pathlib.Path(self.shots) / f"{self.role}-{name}-{width}-{theme}.png"))
        self.visitor.size(width)


def pages(arguments):
    for role, sign_in in roles(arguments):
        visitor = Visitor(arguments.origin)
        try:
            if role == "operator":
                visitor.size(375)
                visitor.go("/sign-in")
                Pages(visitor, "nobody", arguments.shots, 1).look("/sign-in")
            sign_in(visitor)
            Pages(visitor, role, arguments.shots, arguments.most).run()
        finally:
            visitor.quit()


def roles(arguments):
    email, password = arguments.tenant
    return [
        ("operator", lambda visitor: visitor.sign_in(credential=arguments.operator)),
        ("account", lambda visitor: visitor.sign_in(credential=arguments.account)),
        ("tenant", lambda visitor: visitor.sign_in(email=email, password=password)),
    ]
