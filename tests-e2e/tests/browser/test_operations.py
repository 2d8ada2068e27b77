"""An operator acts in the inspector's page."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cheeper_e2e.hostile.poison import send_poison


def give_reason(page, reason, button):
    """Confirm an action in its dialog, which asks why."""
    page.get_by_label("Why?").fill(reason)
    page.get_by_role("dialog").get_by_role("button", name=button).click()


def test_a_dead_letter_is_replayed_and_dropped(open_page, api, author, local_stack):
    """A replay says that the message still fails, a drop removes it, and the trail has both with their reasons."""
    send_poison(local_stack, author.author_id)
    api.wait_until("/inspector/failed", lambda found: author.author_id in [each["key"] for each in found["messages"]])
    page = open_page(author, "#/inspect/failed")
    message = page.locator(".failed", has=page.get_by_text(author.author_id))
    message.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("dialog")).to_contain_text(f"The failed messages of the key {author.author_id} are handled")
    give_reason(page, "the code is fixed", "Replay")
    expect(page.get_by_role("status").get_by_text("is still poison")).to_be_visible()
    message.get_by_role("button", name="Drop").click()
    expect(page.get_by_role("dialog")).to_contain_text("Its command will never be handled")
    give_reason(page, "no command at all", "Drop")
    expect(page.get_by_role("status").get_by_text("is dropped")).to_be_visible()
    expect(message).to_have_count(0)
    page.get_by_role("link", name="Trail").click()
    for reason in ("the code is fixed", "no command at all"):
        expect(page.get_by_text(reason).first).to_be_visible()


@pytest.mark.parametrize("view", ["system", "failed", "generations", "audit", "operations"])
def test_axe_finds_nothing_and_nothing_overflows(open_page, author, view):
    """Each view breaks no rule in both modes, and is as narrow as 320 pixels."""
    page = open_page(author, f"#/inspect/{view}", reduced_motion="reduce")
    expect(page.locator(".inspector [aria-busy]")).to_have_count(0)
    expect(page.locator(".inspector .panel, .inspector .empty").first).to_be_visible()
    for mode in ("light", "dark"):
        page.emulate_media(color_scheme=mode)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


@pytest.mark.disturbs
@pytest.mark.extended
@pytest.mark.takes(seconds=10)
def test_a_rebuild(open_page, author):
    """A rebuild shows its progress and its generation, which is forgotten again."""
    page = open_page(author, "#/inspect/generations")
    store = page.locator(".panel", has=page.get_by_role("heading", name="Redis", exact=True))
    numbers = store.get_by_role("heading", name=re.compile("^Generation"))
    expect(numbers).not_to_have_count(0)
    before = numbers.count()
    store.get_by_role("button", name="Rebuild").click()
    give_reason(page, "a test", "Rebuild")
    expect(page.get_by_role("status").get_by_text("is active")).to_be_visible()
    expect(numbers).to_have_count(before + 1)
    store.get_by_role("button", name="Forget").last.click()
    give_reason(page, "only a test", "Forget")
    expect(page.get_by_role("status").get_by_text("is forgotten")).to_be_visible()
    expect(numbers).to_have_count(before)
