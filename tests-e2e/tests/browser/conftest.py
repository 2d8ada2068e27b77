"""The web client in Chromium, on the session's local stack: `make test-browser`.

Each test has authors and a browser context of its own. An error on the console fails its test, a violation of the
Content-Security-Policy among them; requests that a test lets fail are no such error.
"""

import json
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from cheeper_e2e.browser.chromium import chromium, missing
from cheeper_e2e.browser.writer import Api

MISSING = missing()
WAIT_MILLISECONDS = 30_000  # bounds a hang

if MISSING:
    collect_ignore_glob = ["test_*.py"]


def pytest_terminal_summary(terminalreporter):
    """Say in one line why nothing ran."""
    if MISSING:
        terminalreporter.write_line(f"Skipped: {MISSING}")


@pytest.fixture(scope="session")
def browser():
    """The browser of all tests. An expectation waits for as long as a hang takes to be one."""
    from playwright.sync_api import expect

    expect.set_options(timeout=WAIT_MILLISECONDS)
    with chromium() as one:
        yield one


@pytest.fixture(scope="session")
def api(url):
    """Writes what a test needs beside what it does in the page."""
    one = Api(url)
    yield one
    one.close()


@pytest.fixture
def author(api):
    """The author as whom the test acts."""
    return api.sign_up()


@pytest.fixture
def other(api):
    """Another author."""
    return api.sign_up()


@pytest.fixture(scope="session")
def gateway(url):
    """The gateway whose page is opened; a module with a stack of its own has another one."""
    return url


@pytest.fixture
def open_page(browser, gateway):
    """Opens the page as an author, at an address, in a context with these options."""
    errors = []
    with ExitStack() as contexts:

        def start(author=None, address="#/", **options):
            context = browser.new_context(**options)
            contexts.callback(context.close)
            context.set_default_timeout(WAIT_MILLISECONDS)
            if author is not None:
                item = json.dumps({"author_id": author.author_id, "username": author.username})
                context.add_init_script(f"localStorage['cheeper.author'] ??= {json.dumps(item)}")
            page = context.new_page()
            page.on("console", lambda message: errors.extend(serious(message)))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("dialog", lambda dialog: errors.append(f"a dialog: {dialog.message}"))
            page.goto(f"{gateway}/{address}")
            return page

        yield start
    assert errors == []


def serious(message):
    """Return the text of an error on the console, unless it is a request that the test or the API let fail.

    A test that goes offline also cuts off the page's own files that are still on their way, such as its icon.
    """
    path = urlsplit(message.location.get("url", "")).path
    failed = message.text.startswith("Failed to load resource")
    expected = failed and ("ERR_INTERNET_DISCONNECTED" in message.text or not (path == "/" or path.startswith("/web/")))
    return [] if message.type not in {"error", "warning"} or expected else [message.text]


@pytest.fixture
def page(open_page, author):
    """The author's timeline."""
    return open_page(author)


@pytest.fixture(scope="session")
def plain(browser, url):
    """A page for pure functions: `plain("module", "expression", argument)` evaluates one with its module's names."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/#/search")

    def evaluate(module, expression, argument=None):
        names = f"const all = await import('/web/{module}')"
        script = f"async (argument) => {{ {names}; return ({expression})(all, argument); }}"
        return page.evaluate(script, argument)

    yield evaluate
    context.close()
