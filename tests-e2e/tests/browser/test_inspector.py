"""The inspector's views of the page."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect


@pytest.fixture
def traced(open_page, api):
    """Opens the trace of a post by an author with a follower, once it is done."""
    author, other = api.sign_up(), api.sign_up()
    api.follow(other, author)
    cheep = api.post(author, "<b>Hello</b> \u202eworld")

    def start(**options):
        page = open_page(author, "#/inspect", **options)
        page.get_by_role("searchbox").fill(cheep)
        page.get_by_role("button", name="Trace").click()
        expect(page.get_by_role("heading", name="Command: post cheep")).to_be_visible()
        return page

    return start


def test_a_trace_shows_each_part(traced):
    """A cheep's id shows its command, its transaction, its event, and what each store holds, as text."""
    page = traced()
    expect(page).to_have_url(re.compile(r"#/inspect\?of=[0-9a-f-]{36}$"))
    for name in ("Transaction", "Event: cheep posted", "redis", "mongo", "Queries that show it"):
        expect(page.get_by_role("heading", name=name).first).to_be_visible()
    expect(page.locator(".waterfall li")).to_have_count(6)
    expect(page.locator(".waterfall li:not(.unknown)")).to_have_count(5)  # the key was the client's, without a time
    page.locator("summary", has_text="Content").first.click()
    expect(page.locator("pre").first).to_contain_text("<b>Hello</b>")


def test_an_unknown_id_is_explained(open_page, author):
    """An id of nothing has a sentence, and what is no id the API's refusal."""
    page = open_page(author, "#/inspect?of=6f9619ff-8b86-4011-b42d-00cf4fc964ff")
    expect(page.get_by_text("Nothing is known of it")).to_be_visible()
    page.get_by_role("searchbox").fill("%zz")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".inspector").get_by_role("alert")).to_contain_text("must be a UUID")


def test_axe_finds_nothing_and_nothing_overflows(traced):
    """The view breaks no rule in both modes, and is as narrow as 320 pixels with everything opened."""
    page = traced(reduced_motion="reduce")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    for mode in ("light", "dark"):
        page.emulate_media(color_scheme=mode)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_an_author_side_by_side(open_page, api):
    """An author's trace leads to rows, keys and documents side by side, with the audit's word about them."""
    author = api.sign_up()
    api.post(author, "Hello")
    page = open_page(author, f"#/inspect?of=@{author.username}")
    page.get_by_role("link", name="Its write model").click()
    for side in ("PostgreSQL", "Redis", "MongoDB"):
        expect(page.get_by_role("heading", name=side)).to_be_visible()
    expect(page.locator(".state")).to_have_text(re.compile("equal now|not comparable now"))
    expect(page.locator(".sides details")).not_to_have_count(0)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_failed_messages(open_page, author):
    """The list says how many there are of each server, and breaks no rule."""
    page = open_page(author, "#/inspect")
    page.get_by_role("link", name="Failed messages").click()
    for server in ("the write side", "Redis", "MongoDB"):
        expect(page.get_by_text(re.compile(f"failed messages? of {server}"))).to_be_visible()
    page.get_by_role("button", name="Show what people wrote").click()
    page.get_by_label("Why?").fill("a test")
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text(re.compile("failed messages? of Redis"))).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_map_shows_the_way_of_a_command(open_page, author):
    """Processes, topics and stores are in the order in which a command passes them, with what waits, and it is live."""
    page = open_page(author, "#/inspect")
    page.get_by_role("link", name="Map").click()
    names = page.locator(".map h2")
    expect(names.first).to_contain_text("write-api")
    way = [
        "write-api",
        "Commands",
        "worker",
        "PostgreSQL",
        "Outbox",
        "relay",
        "Events",
        "projector",
        "Redis",
        "MongoDB",
    ]
    assert [re.match("[A-Za-z-]+", text)[0] for text in names.all_inner_texts()][: len(way)] == way
    expect(page.locator(".map .queue dd").first).to_have_text(re.compile(r"^[\d,]+$"))
    expect(page.locator(".map .queue").first).to_contain_text("/ s")  # a rate needs a second reading


@pytest.mark.disturbs
@pytest.mark.takes(seconds=10)
def test_the_map_shows_what_is_down(open_page, api, gateway, local_stack):
    """A process that does not run is marked, and what waits for it is counted, until it runs again."""
    author = api.sign_up()
    page = open_page(author, "#/inspect/system")
    relay, outbox = (
        page.locator(".map .node", has=page.get_by_role("heading", name=name)) for name in ("relay", "Outbox")
    )
    expect(relay.locator(".state")).to_have_text("ready")
    local_stack.stop_process("relay")
    try:
        cheep = {"author_id": author.author_id, "message": "It waits for the relay"}
        page.request.post(f"{gateway}/cheep", data=cheep)
        expect(relay).to_have_class(re.compile("down"))
        expect(relay).to_contain_text("It does not respond")
        expect(outbox.locator("dd").first).not_to_have_text("0")
    finally:
        local_stack.start_process("relay")
        local_stack.wait_ready()
    expect(outbox.locator("dd").first).to_have_text("0")
    expect(relay.locator(".state")).to_have_text("ready")


def test_rates_come_from_two_readings(plain):
    """Messages per second are those between two readings, and unknown where a topic or a store began anew."""
    states = [
        {
            "at": at,
            "topics": [{"name": "commands", "messages": sent}],
            "lag": {"stores": {"redis": {"snapshot": {"sequences": {"0": applied}}}, "mongo": {}}},
        }
        for at, sent, applied in ((0, 10, 50), (2_000_000, 14, 20))
    ]
    found = plain("inspector/system.js", "(all, states) => all.ratesOf(...states)", states)
    assert (found["commands"], found["redis"], found["mongo"]) == (2, None, None)


def test_the_inspectors_modules_are_loaded_with_its_view_alone(page):
    """A page that does not show the inspector loads nothing of it."""
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    names = page.evaluate("performance.getEntriesByType('resource').map((each) => each.name)")
    assert [name for name in names if "/web/inspector/" in name] == []


def test_spans_and_bars(plain):
    """A span has a unit that people read, and a bar the place of its wait in the whole time."""
    spans = plain("inspector/waterfall.js", "(all, each) => each.map(all.span)", [7, 1500, 2_000_000])
    assert spans == ["7 µs", "1.5 ms", "2.00 s"]
    steps = [{"at": 100, "waited": None}, {"at": None, "waited": None}, {"at": 300, "waited": 200}]
    bars = plain("inspector/waterfall.js", "(all, steps) => all.bars(steps)", steps)
    assert bars == [None, None, {"start": 0, "width": 100}]
