"""Reading one's own writes: pending, resolved, refused, late, repeated and offline."""

import re

import pytest
from playwright.sync_api import expect

from cheeper_e2e.browser.loaded import wait_for, wait_until_visible
from cheeper_local.waiting import until


def post(page, text):
    page.get_by_label("Your cheep").fill(text)
    page.get_by_role("button", name="Cheep", exact=True).click()


def card(page, text):
    return page.locator("cheep-card", has_text=text)


def messages(api, author):
    """The texts of the author's cheeps on the read side."""
    return [each["cheep_message"] for each in api.get(f"/author/{author.author_id}/cheeps")["cheeps"]]


def wait_for_messages(api, author, texts):
    """Wait until the read side has exactly these cheeps: the stream may show one before another store has it."""
    until(lambda: messages(api, author) == texts, what=f"the read side has {texts}")


def test_a_rejected_answer_is_undone_and_its_text_is_kept(open_page, api, author, other):
    """A rejection takes the answer out of the list, and shows the server's sentence and the text."""
    cheep_id = api.post(other, "Soon gone")
    page = open_page(author, f"#/cheep/{cheep_id}?answer")
    expect(page.get_by_label("Your answer")).to_be_focused()
    api.delete(other, cheep_id)
    page.get_by_label("Your answer").fill("Too late")
    page.get_by_role("button", name="Answer", exact=True).last.click()
    notice = page.locator(".refused", has_text="Your answer was not posted.")
    expect(notice).to_contain_text(re.compile("does not exist|deleted"))
    expect(notice.locator("blockquote")).to_have_text("Too late")
    expect(card(page, "Too late")).to_have_count(0)
    page.reload()
    expect(notice.locator("blockquote")).to_have_text("Too late")
    notice.get_by_role("button", name="Edit again").click()
    expect(page.get_by_label("Your cheep")).to_have_value("Too late")
    expect(page.locator("refused-list")).to_be_empty()
    assert messages(api, author) == []


def test_a_text_that_was_refused_at_once_comes_back_to_its_place(page, api, author):
    """A control character is refused with the request; "Edit again" puts the text back into the composer."""
    page.get_by_label("Your cheep").fill("A tab\there")
    page.get_by_role("button", name="Cheep", exact=True).click()
    page.get_by_role("button", name="Edit again").click()
    expect(page.get_by_label("Your cheep")).to_have_value("A tab\there")
    expect(page.get_by_label("Your cheep")).to_be_focused()
    post(page, "No tab here")
    wait_until_visible(card(page, "No tab here"))
    wait_for_messages(api, author, ["No tab here"])


@pytest.mark.local
@pytest.mark.disturbs
def test_a_late_command_is_pending_until_it_is_visible(page, api, author, local_stack):
    """While the projector stands, the own cheep is there with a mark, and reads are said to be out of date."""
    local_stack.freeze("projector")
    try:
        post(page, "Late")
        expect(card(page, "Late").locator(".badge")).to_have_text("on its way")
        page.get_by_role("link", name="Profile").click()
        expect(page.locator("status-line")).to_contain_text("may be out of date")
        expect(card(page, "Late").locator(".badge")).to_have_text("on its way")
    finally:
        local_stack.thaw("projector")
    wait_until_visible(card(page, "Late"))
    expect(page.locator("status-line")).to_be_empty()
    wait_for_messages(api, author, ["Late"])


def test_what_is_written_offline_is_sent_when_one_is_back(page, api, author):
    """Offline commands wait, in order and through a reload, and each has its effect once."""
    page.context.set_offline(True)
    post(page, "First")
    post(page, "Second")
    expect(card(page, "Second").locator(".badge")).to_have_text("waiting to be sent")
    expect(page.locator("status-line")).to_contain_text("You are offline. 2 commands wait")
    card(page, "First").get_by_role("button", name="Edit").click()
    page.get_by_label("Edit your cheep").fill("First, better")
    page.get_by_role("button", name="Save").click()
    page.context.set_offline(False)
    wait_until_visible(card(page, "First, better"))
    wait_until_visible(card(page, "Second"))
    expect(page.locator("status-line")).to_be_empty()
    wait_for_messages(api, author, ["Second", "First, better"])


def test_what_was_not_sent_survives_the_page(open_page, api, author):
    """A command that waited when the page was closed is sent when it is opened again."""
    page = open_page(author)
    page.route("**/cheep", lambda route: route.abort())
    post(page, "Kept")
    expect(page.locator("status-line")).to_contain_text("One command waits")
    page.unroute("**/cheep")
    page.reload()
    wait_until_visible(card(page, "Kept"))
    wait_for_messages(api, author, ["Kept"])


def test_a_lost_response_posts_nothing_twice(page, api, author):
    """If the response is lost, the command is repeated with its key, and there is one cheep."""
    keys = []

    def lose_the_first(route):
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/cheep", lose_the_first)
    post(page, "Once")
    wait_for(page, lambda: len(keys) > 1)
    wait_until_visible(card(page, "Once"))
    assert (len(keys), len(set(keys))) == (2, 1)
    wait_for_messages(api, author, ["Once"])


@pytest.mark.parametrize("status", [429, 503])
def test_a_request_to_a_busy_server_is_repeated(page, api, author, status):
    """A refusal that is temporary is no rejection: the command is repeated after Retry-After."""
    busy = [True]

    def refuse_once(route):
        if busy.pop():
            body = '{"data": {"message": "Busy", "code": "overloaded"}, "meta": {}}'
            route.fulfill(status=status, body=body, headers={"Retry-After": "1", "Content-Type": "application/json"})
            busy.append(False)
        else:
            busy.append(False)
            route.continue_()

    page.route("**/cheep", refuse_once)
    post(page, "Patience")
    wait_until_visible(card(page, "Patience"))
    wait_for_messages(api, author, ["Patience"])


@pytest.mark.parametrize(("status", "sentence"), [(401, "asks for a sign-in"), (403, "belongs to another author")])
def test_a_caller_who_may_not_write_loses_no_text(page, status, sentence):
    """With AUTH=tokens a command is refused; the page says so, and keeps the text."""
    body = '{"data": {"message": "The token belongs to another author", "code": "not_allowed"}, "meta": {}}'
    page.route("**/cheep", lambda route: route.fulfill(status=status, body=body, content_type="application/json"))
    post(page, "Mine")
    expect(page.locator("refused-list")).to_contain_text(sentence)
    expect(page.locator("refused-list blockquote")).to_have_text("Mine")


def test_without_a_stream_new_cheeps_wait_for_a_click_and_edits_do_not(open_page, api, author, other):
    """When a profile is looked at again, what is new is announced and moves nothing; what was edited is shown."""
    api.post(other, "Old")
    page = open_page(author, f"#/@{other.username}")
    expect(card(page, "Old")).to_be_visible()
    api.post(other, "New")
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("button", name="1 new cheep")).to_be_visible()
    expect(card(page, "New")).to_have_count(0)
    page.get_by_role("button", name="1 new cheep").click()
    expect(page.locator("cheep-card .text")).to_have_text(["New", "Old"])
