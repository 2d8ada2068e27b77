"""Accounts on the page, on a stack of its own with AUTH=tokens."""

import json
import re
import uuid
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from cheeper_e2e.browser.loaded import wait_for, wait_until_loaded, wait_until_visible
from cheeper_e2e.stack.provider import serving
from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

pytestmark = [pytest.mark.local, pytest.mark.takes(seconds=4)]

PASSWORD, OTHER_PASSWORD = "a password of Ann", "another one of hers"
LIFE = 15 * 60_000  # of an access token, in milliseconds
CREATED, UNAUTHENTICATED = 201, 401


class Account(NamedTuple):
    email: str
    username: str
    author_id: str
    session: dict


@pytest.fixture(scope="module")
def provider():
    """An OpenID provider, with one client, which has no secret."""
    with serving() as provider:
        yield provider


@pytest.fixture(scope="module")
def stack(provider):
    """A stack whose tokens are identity's, with a provider to sign in by."""
    configured = {"name": "example", "title": "Example", "issuer": provider.issuer.issuer, "client_id": "cheeper"}
    environment = {"AUTH": "tokens", "ISSUERS": "", "LIMITS": "off", "QUEUE_MILLISECONDS": "5000"}
    environment |= {"SIGN_IN_PROVIDERS": json.dumps([configured])}
    with RunningStack.temporary(environment=environment) as stack:
        provider.redirect_uri = f"{stack.gateway}/"
        yield stack


@pytest.fixture(scope="module")
def gateway(stack):
    """The gateway of that stack, in place of the shared one's."""
    return stack.gateway


@pytest.fixture(scope="module")
def server(gateway):
    with httpx.Client(base_url=gateway, timeout=60) as client:
        yield client


def code_for(stack, email):
    """The code of the newest mail to an address."""
    mails = [mail.read_text() for mail in sorted((Path(stack.state["data"]) / "mail").glob("*.eml"))]
    return re.search(r"^The code is (\S+)$", [mail for mail in mails if f"To: {email}" in mail][-1], re.MULTILINE)[1]


@pytest.fixture
def account(stack, server):
    """An account with an author, and a session of it."""
    name = f"u{uuid.uuid4().hex[:12]}"
    email = f"{name}@example.org"
    server.post("/account", json={"email": email}).raise_for_status()
    body = {"email": email, "code": code_for(stack, email), "new_password": PASSWORD}
    made = server.put("/account/password", json=body).raise_for_status().json()["data"]
    author = {"author_id": made["account_id"], "username": name, "email": email}
    token = {"Authorization": f"Bearer {made['session']['access_token']}"}
    server.post("/author", json=author, headers=token).raise_for_status()
    return Account(email, name, made["account_id"], made["session"])


@pytest.fixture
def signed_in(open_page, gateway, account):
    """Opens pages of one browser in which the account is signed in, each with a clock that the test may move."""
    pages = []

    def start(script=""):
        if not pages:
            page = open_page(None, "#/search")
            page.context.clock.install()
            author = {"author_id": account.author_id, "username": account.username}
            kept = {
                "id": account.author_id,
                "email": account.email,
                "access": account.session["access_token"],
                "refresh": account.session["refresh_token"],
            }
            page.evaluate(
                """([author, kept]) => {
                    localStorage["cheeper.tokens"] = JSON.stringify({ ...kept, until: Date.now() + 840_000 });
                    localStorage["cheeper.author"] = JSON.stringify(author);
                }""",
                [author, kept],
            )
            page.context.add_init_script(script)
        else:
            page = pages[0].context.new_page()
        page.goto(f"{gateway}/?{len(pages)}#/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Home")
        wait_until_loaded(page)
        pages.append(page)
        return page

    return start


def form(page, name):
    return page.get_by_role("form", name=name)


def submit(page, name, **values):
    """Fill a form, and send it."""
    for field, value in values.items():
        form(page, name).locator(f"[name={field}]").fill(value)
    form(page, name).locator("[type=submit]").click()


def sign_out(page):
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Cheeper")


def expect_home(page, username):
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    expect(page.locator("side-nav .me")).to_have_text(re.compile(username))


def post(page, text):
    page.get_by_label("Your cheep").fill(text)
    page.get_by_role("button", name="Cheep", exact=True).click()


def card(page, text):
    return page.locator("cheep-card", has_text=text)


def expect_accessible(page):
    for mode in ("light", "dark"):
        page.emulate_media(color_scheme=mode, reduced_motion="reduce")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_a_person_makes_an_account_signs_out_and_in(open_page, stack):
    """A mailed code makes the account, and a new password later; the author is chosen once, and found again."""
    name = f"n{uuid.uuid4().hex[:12]}"
    email = f"{name}@example.org"
    page = open_page()
    expect(form(page, "Sign in")).to_be_visible()
    expect_accessible(page)
    submit(page, "Create an account", email=email)
    expect(page.get_by_label("Code")).to_be_focused()
    expect_accessible(page)
    submit(page, "Set a password", code="WRONG-CODE", new_password=PASSWORD)
    expect(form(page, "Set a password").locator(".error").first).not_to_be_empty()
    submit(page, "Set a password", code=code_for(stack, email), new_password=PASSWORD)
    expect(page.get_by_role("heading", name="Choose a username")).to_be_visible()
    page.reload()
    submit(page, "Create an author", username=name)
    expect_home(page, name)
    post(page, "Signed")
    wait_until_visible(card(page, "Signed"))
    sign_out(page)

    submit(page, "Sign in", email=email, password="not the password")
    expect(form(page, "Sign in").locator("#error-sign-in-password")).not_to_be_empty()
    submit(page, "Sign in", email=email, password=PASSWORD)
    expect_home(page, name)
    expect(card(page, "Signed")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    submit(page, "Password", password=PASSWORD, new_password=OTHER_PASSWORD)
    expect(page.get_by_text("Changed.")).to_be_visible()
    sign_out(page)

    submit(page, "Create an account", email=email)
    expect(page.get_by_label("Code")).to_be_focused()
    submit(page, "Set a password", code=code_for(stack, email), new_password=PASSWORD)
    expect_home(page, name)


def test_a_person_signs_in_by_a_provider(open_page, provider):
    """The code of a provider leaves the address at once; the author is chosen once, and found again."""
    name = provider.subject = f"p{uuid.uuid4().hex[:12]}"
    page = open_page()
    button = page.get_by_role("button", name="Sign in with Example")
    expect(button).to_be_visible()
    expect_accessible(page)
    button.click()
    expect(page.get_by_role("heading", name="Choose a username")).to_be_visible()
    assert "code=" not in page.url
    expect_accessible(page)
    submit(page, "Create an author", username=name, email=f"{name}@example.org")
    expect_home(page, name)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings", level=1)).to_be_visible()
    expect(form(page, "Password")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    expect(button).to_be_visible()
    button.click()
    expect_home(page, name)


def test_a_code_of_somebody_else_signs_nobody_in(open_page, server, provider):
    """A page that an attacker opens with a code of their own account stays signed out, and forgets the code."""
    begun = server.post("/session/external", json={"provider": "example"}).json()["data"]
    page = open_page(None, provider.authorize(begun["url"]).removeprefix(provider.redirect_uri))
    expect(form(page, "Sign in")).to_be_visible()
    assert "code=" not in page.url
    assert page.evaluate("localStorage['cheeper.tokens']") is None


def test_a_sign_in_that_the_provider_refuses_is_reported(open_page, provider):
    """The page of who comes back with an error reports it, and lets them try again."""
    provider.subject = uuid.uuid4().hex
    page = open_page()
    button = page.get_by_role("button", name="Sign in with Example")
    expect(button).to_be_visible()

    def refuse(route):
        state = httpx.URL(route.request.url).params["state"]
        location = f"{provider.redirect_uri}?error=access_denied&state={state}"
        route.fulfill(status=302, headers={"Location": location})

    page.route(f"{provider.issuer.issuer}/authorize**", refuse, times=1)
    button.click()
    expect(page.get_by_role("alert").filter(has_text="was not completed")).to_be_visible()
    assert "error=" not in page.url
    button.click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize("has_locks", [True, False])
def test_tabs_renew_their_tokens_together(signed_in, server, account, has_locks):
    """Two tabs that need a token at once use the refresh token once; without locks, the repetition ends no session."""
    script = "" if has_locks else "Object.defineProperty(navigator, 'locks', { value: undefined })"
    first, second = signed_in(script), signed_in()
    held, reads = [], []

    def hold(route):
        held.append(route)

    first.context.route("**/session", hold)
    first.context.clock.fast_forward(LIFE)
    for page in (first, second):
        page.on("response", lambda response: reads.append(response.status) if "/timeline?" in response.url else None)
        page.evaluate("dispatchEvent(new Event('focus'))")
    wait_for(first, lambda: len(held) == (1 if has_locks else 2))
    if has_locks:
        waiting = "({ pending }) => pending.filter(({ name }) => name === 'cheeper.tokens').length"
        wait_for(first, lambda: first.evaluate(f"navigator.locks.query().then({waiting})") == 1)
    for route in held:
        route.continue_()
    wait_for(second, lambda: len(reads) >= 2)
    assert len(held) == (1 if has_locks else 2)
    assert set(reads) == {200}
    kept = json.loads(first.evaluate("localStorage['cheeper.tokens']"))
    assert kept["refresh"] != account.session["refresh_token"]
    assert server.post("/session", json={"refresh_token": kept["refresh"]}).status_code == CREATED
    for page in (first, second):
        expect(page.locator("sign-in-again section")).to_have_count(0)


def test_a_session_that_has_ended_loses_nothing(signed_in, server, account):
    """The page asks for the password where it is; what was written is sent then, or still there."""
    page = signed_in()
    server.request("DELETE", "/session", json={"refresh_token": account.session["refresh_token"]}).raise_for_status()
    page.clock.fast_forward(LIFE)
    post(page, "Kept")
    again = page.get_by_role("region", name="Sign in again")
    expect(again).to_be_visible()
    expect(again.get_by_label("E-mail address")).to_have_value(account.email)
    expect(page.locator("status-line")).to_contain_text("One command waits")
    expect(card(page, "Kept").locator(".badge")).to_have_text("waiting to be sent")
    page.get_by_label("Your cheep").fill("Half written")
    expect_accessible(page)
    submit(page, "Sign in", password=PASSWORD)
    expect(again).to_have_count(0)
    wait_until_visible(card(page, "Kept"))
    expect(page.get_by_label("Your cheep")).to_have_value("Half written")
    expect(page.locator("status-line")).to_be_empty()
    cheeps = f"/author/{account.author_id}/cheeps"
    until(lambda: [each["cheep_message"] for each in server.get(cheeps).json()["data"]["cheeps"]] == ["Kept"])


def test_a_sign_out_is_one_in_all_tabs(signed_in, server, account):
    """The other tabs are at the welcome page as well, and the session has ended at the server."""
    first, second = signed_in(), signed_in()
    with first.expect_response(lambda response: response.request.method == "DELETE"):
        sign_out(first)
    expect(second.get_by_role("heading", level=1)).to_have_text("Welcome to Cheeper")
    expect(form(second, "Sign in")).to_be_visible()
    token = {"refresh_token": account.session["refresh_token"]}
    assert server.post("/session", json=token).status_code == UNAUTHENTICATED
    assert first.evaluate("Object.keys(localStorage).filter((each) => /tokens|author/.test(each))") == []


def test_a_page_of_a_time_without_accounts_asks_for_a_sign_in(open_page, account):
    """A browser that acts as an author without a token is asked to sign in once the server wants one."""
    page = open_page(account)
    again = page.get_by_role("region", name="Sign in again")
    expect(again).to_be_visible()
    submit(page, "Sign in", email=account.email, password=PASSWORD)
    expect(again).to_have_count(0)
    expect_home(page, account.username)
    expect(page.locator(".empty")).to_contain_text("Your timeline is quiet")


def test_the_timeline_streams_with_a_token(signed_in):
    """The stream of an account is opened with its token."""
    page = signed_in()
    opened = []
    page.on(
        "response",
        lambda response: opened.append(response.status) if "/timeline/stream" in response.url else None,
    )
    page.reload()
    wait_for(page, lambda: opened == [200])
