"""The API documentation in Chromium; a violation of its policy is an error on the console, which fails a test."""

import json

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cheeper_local.settings import CLONE

DOCUMENT = CLONE / "services" / "api-docs" / "openapi.json"


def test_every_operation_is_shown_and_can_be_tried(open_page, author):
    """Swagger UI lists each operation of the document, offline, and its request to the gateway gets a response."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    page = open_page(address="docs")
    expect(page.locator(".opblock")).to_have_count(sum(map(len, paths.values())))
    profile = page.locator("#operations-queries-Author")
    profile.locator(".opblock-summary-control").click()
    expect(profile).to_contain_text("author_not_found")
    profile.get_by_role("button", name="Try it out").click()
    profile.get_by_placeholder("author_id").fill(author.author_id)
    profile.get_by_role("button", name="Execute").click()
    expect(profile.locator(".live-responses-table")).to_contain_text(author.username)


def test_every_message_is_shown(open_page):
    """The page of the messages has each one's example, at any width, and axe-core finds nothing."""
    page = open_page(address="docs/messages", viewport={"width": 320, "height": 800})
    expect(page.locator("#cheeper\\.post-cheep\\.v1")).to_contain_text("Hello world, this is Bob")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
