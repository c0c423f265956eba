#!/usr/bin/env python3
"""Looks at the console as its users do, with a real browser: Debian's chromium, driven by its own driver.

    console.py pages ORIGIN --operator CREDENTIAL --account CREDENTIAL --tenant EMAIL PASSWORD [--shots FOLDER]
    console.py walks ORIGIN --operator CREDENTIAL --account CREDENTIAL --tenant EMAIL PASSWORD [--hook URL]
    console.py live ORIGIN --operator CREDENTIAL

`pages` goes to each page that can be reached, for each role, wide and narrow, light and dark, and holds it against what was promised of all of them.
`walks` does what people come for, with scripts and without. `live` follows a page's events. A line a fault; the exit code is 1 if there is one.
"""

import argparse
import sys

from selenium.webdriver.common.by import By

from console_browser import Visitor, drain, fault, faults, performance, say
from console_pages import pages
from console_walks import walks


def live(arguments):
    visitor = Visitor(arguments.origin)
    try:
        visitor.sign_in(credential=arguments.operator)
        drain(visitor.driver)
        visitor.go("/")
        streams = Streams(visitor)
        visitor.until("no stream of events", lambda: streams.opened() == 1)
        hide(visitor, True)
        visitor.until("the stream stays open while the page is hidden", lambda: streams.closed() == 1)
        hide(visitor, False)
        visitor.until("the stream does not come back", lambda: streams.opened() == 2)
        say("one stream of events, closed while the page is hidden")
        body = visitor.driver.find_element(By.TAG_NAME, "body")
        body.send_keys("?")
        visitor.expect("Keyboard")
        visitor.driver.switch_to.active_element.send_keys("\ue00c")
        visitor.until("the help stays open", lambda: not visitor.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"))
        visitor.leave(lambda: body.send_keys("gd"))
        visitor.expect("Dead letters")
        visitor.driver.find_element(By.TAG_NAME, "body").send_keys("/")
        focused = visitor.driver.switch_to.active_element.get_attribute("name")
        if focused != "job_id":
            fault(f"/ went to {focused}")
        say("keys")
    except AssertionError as error:
        fault(f"live: {str(error)[:800]}")
    finally:
        visitor.quit()


class Streams:
    """The streams of events that a page opened and closed, by what the browser tells of its network."""

    def __init__(self, visitor):
        self.driver, self.ids, self.ends = visitor.driver, set(), set()

    def read(self):
        for event in performance(self.driver):
            parameters = event["params"]
            if event["method"] == "Network.requestWillBeSent" and parameters.get("type") == "EventSource":
                self.ids.add(parameters["requestId"])
            elif event["method"] in ("Network.loadingFailed", "Network.loadingFinished") and parameters["requestId"] in self.ids:
                self.ends.add(parameters["requestId"])

    def opened(self):
        self.read()
        return len(self.ids)

    def closed(self):
        self.read()
        return len(self.ends)


def hide(visitor, is_hidden):
    visitor.driver.execute_script(
        "Object.defineProperty(document, 'hidden', { value: arguments[0], configurable: true });"
        "document.dispatchEvent(new Event('visibilitychange'));",
        is_hidden,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["pages", "walks", "live"])
    parser.add_argument("origin", help="http://127.0.0.1:port")
    parser.add_argument("--operator", required=True)
    parser.add_argument("--account")
    parser.add_argument("--tenant", nargs=2, metavar=("EMAIL", "PASSWORD"))
    parser.add_argument("--prefix", default="lindenhof-", help="what the account's short names begin with")
    parser.add_argument("--hook", default="http://127.0.0.1:9/", help="a URL for webhooks")
    parser.add_argument("--most", type=int, default=1, help="pages that are looked at of each kind (default: 1)")
    parser.add_argument("--shots", help="a folder for screenshots")
    arguments = parser.parse_args()
    {"pages": pages, "walks": walks, "live": live}[arguments.mode](arguments)
    sys.exit(1 if faults else 0)


main()
