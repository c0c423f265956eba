"""What people come to the console for, with scripts and without."""

import re

from selenium.common.exceptions import NoSuchElementException
from selenium.webdriver.common.by import By

from console_browser import Visitor, fault, say


def walk_sign_in(visitor, arguments):
    email, password = arguments.tenant
    visitor.go("/tenants")
    visitor.fill("email", email)
    visitor.fill("password", "not this one")
    visitor.press("Sign in")
    visitor.expect("are wrong")
    assert visitor.field("email").get_attribute("value") == email, "the address is gone"
    visitor.fill("password", password)
    visitor.press("Sign in")
    visitor.expect("Conversations")
    visitor.driver.find_element(By.CSS_SELECTOR, ".account-menu summary").click()
    visitor.press("Sign out")
    visitor.expect("You are signed out.")
    visitor.go("/")
    visitor.expect("Sign in")


def walk_chatbot(visitor, arguments):
    """From a template to an answer and a transcript."""
    slug = f"{arguments.prefix}{'with' if visitor.scripts else 'without'}"
    visitor.sign_in(credential=arguments.account)
    visitor.press("Templates")
    visitor.press("New template")
    visitor.fill("name", "Shops")
    visitor.fill("settings", '{"greeting": "Hello"}')
    visitor.fill("documents", "[]")
    visitor.press("Save the template")
    visitor.expect("Saved.")
    visitor.press("Chatbots")
    visitor.press("New chatbot")
    visitor.fill("tenant", slug)
    if visitor.scripts:
        visitor.expect("This name can be tried.")
    visitor.fill("display_name", "A <b>bold</b> name")
    visitor.fill("template", "Shops")
    visitor.fill("settings", "{")
    visitor.press("Create the chatbot")
    visitor.expect("This is no JSON object")
    assert visitor.field("display_name").get_attribute("value") == "A <b>bold</b> name", "what was typed is gone"
    visitor.fill("settings", '{"colour": "red"}')
    visitor.press("Create the chatbot")
    visitor.expect("Created.")
    visitor.expect("A <b>bold</b> name")
    visitor.press("Corpus")
    visitor.press("Add a document")
    visitor.fill("external_id", "hours")
    visitor.fill("title", "Opening hours")
    visitor.fill("content", "On Saturdays we open at nine in the morning.")
    visitor.press("Add it")
    visitor.expect("Taken in.")
    visitor.fill("ask", "open Saturdays")
    visitor.press("Ask")
    visitor.expect("nine in the morning")
    visitor.press("Settings")
    assert '"greeting": "Hello"' in visitor.field("settings").get_attribute("value"), "the template's settings are not there"
    visitor.go("/tenants?q=elster")
    visitor.press("Hotel Elsterblick")
    visitor.press("Conversations")
    visitor.leave(visitor.driver.find_element(By.CSS_SELECTOR, "a.preview").click)
    visitor.expect("Visitor")
    visitor.expect("Chatbot")


def walk_webhook(visitor, arguments):
    visitor.sign_in(credential=arguments.account)
    visitor.press("Webhooks")
    visitor.press("New webhook")
    visitor.fill("url", arguments.hook)
    visitor.fill("events", "limit.#")
    visitor.press("Create the webhook")
    visitor.expect("whsec_")
    visitor.press("To the webhook")
    assert "whsec_" not in visitor.driver.page_source, "the secret is shown twice"
    visitor.press("Send a test event")
    visitor.expect("A test event was sent.")

    def is_delivered():
        if "webhook.test" in visitor.text() and re.search(r"succeeded|failed|pending", visitor.text()):
            return True
        visitor.driver.refresh()
        return False

    visitor.until("no delivery", is_delivered)


def walk_letters(visitor, arguments):
    visitor.sign_in(credential=arguments.operator)
    visitor.press("Dead letters")
    visitor.expect("limit_reached")
    visitor.go("/dead?code=limit_reached")
    visitor.press("Replay all that match")
    visitor.expect("letter match" if "1 letter match" in visitor.text() else "letters match")
    visitor.fill("rate", "100")
    buttons = visitor.driver.find_elements(By.CSS_SELECTOR, "main .button-primary")
    visitor.leave(buttons[-1].click)

    def is_done():
        if "Done" in visitor.text():
            return True
        if not visitor.scripts:
            visitor.driver.refresh()
        return False

    visitor.until("the replay does not end", is_done)


def walks(arguments):
    for scripts in (True, False):
        for walk in (walk_sign_in, walk_chatbot, walk_webhook, walk_letters):
            name = f"{walk.__name__} {'with' if scripts else 'without'} scripts"
            visitor = Visitor(arguments.origin, scripts)
            try:
                walk(visitor, arguments)
                say(name)
            except (AssertionError, NoSuchElementException) as error:
                fault(f"{name}: {str(error)[:800]}")
            finally:
                visitor.quit()
