"""A browser with somebody before it, who finds things by what they are called: Debian's chromium, driven by its own driver."""

import json
import urllib.parse

from selenium import webdriver
from selenium.common.exceptions import NoAlertPresentException, NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

WAIT_SECONDS = 30

faults = []


def fault(text):
    faults.append(text)
    print(f"FAULT {text}", flush=True)


def say(text):
    print(text, flush=True)


class Visitor:
    """A browser with somebody before it."""

    def __init__(self, origin, scripts=True):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(WAIT_SECONDS)
        self.origin = origin
        self.scripts = scripts
        self.cdp("Network.enable")
        if not scripts:
            self.cdp("Emulation.setScriptExecutionDisabled", value=True)

    def cdp(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def size(self, width, height=900):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def theme(self, name):
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def go(self, path):
        self.driver.get(urllib.parse.urljoin(self.origin, path))

    def quit(self):
        self.driver.quit()

    # As a person would.

    def until(self, what, condition):
        try:
            return WebDriverWait(self.driver, WAIT_SECONDS, poll_frequency=0.05).until(lambda _: condition())
        except Exception as error:
            raise AssertionError(f"{what}: {self.driver.current_url}: {self.text()[:400]!r}") from error

    def text(self):
        try:
            return self.driver.find_element(By.TAG_NAME, "body").text
        except NoSuchElementException:
            return ""

    def expect(self, text):
        self.until(f"no {text!r}", lambda: text in self.text())

    def field(self, name, within="main"):
        return self.driver.find_element(By.CSS_SELECTOR, f"{within} [name='{name}']")

    def fill(self, name, value, within="main"):
        field = self.field(name, within)
        if field.tag_name == "select":
            Select(field).select_by_value(value)
        else:
            field.clear()
            field.send_keys(value)

    def press(self, text):
        """Clicks on the button or link that says so, and waits for the page that comes."""

        def found():
            try:
                for element in self.driver.find_elements(By.CSS_SELECTOR, "button, a"):
                    if element.is_displayed() and element.text.strip() == text:
                        self.leave(element.click)
                        return True
            except StaleElementReferenceException:
                pass  # A live part has just changed.
            return False

        self.until(f"nothing says {text!r}", found)

    def leave(self, act):
        page = self.driver.find_element(By.TAG_NAME, "html")
        act()
        self.until("no new page", lambda: is_gone(page))

    def sign_in(self, credential=None, email=None, password=None):
        self.go("/sign-in")
        if credential:
            self.driver.find_element(By.CSS_SELECTOR, ".other-way summary").click()
            self.fill("credential", credential)
            self.press("Sign in with it")
        else:
            self.fill("email", email)
            self.fill("password", password)
            self.press("Sign in")
        self.until("not signed in", lambda: "/sign-in" not in self.driver.current_url)

    def alert(self):
        try:
            return self.driver.switch_to.alert.text
        except NoAlertPresentException:
            return None


def is_gone(element):
    try:
        element.is_enabled()
        return False
    except Exception:  # Stale, or of a page that is just going.
        return True


def performance(driver):
    """What the browser did on its network since it was last asked."""
    return [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]


def drain(driver):
    driver.get_log("performance")
    driver.get_log("browser")
