"""Texts that were written to do harm, in every field: they are shown as text, and do nothing."""

import pytest
from playwright.sync_api import expect

from cheeper_e2e.browser.loaded import wait_until_loaded

SCRIPTS = (
    "<script>document.title='stolen'</script>",
    "<img src=x onerror=\"document.title='stolen'\">",
    "<svg/onload=document.title='stolen'>",
    '"><iframe srcdoc="<script>parent.document.title=\'stolen\'</script>"></iframe>',
    "<style>*{display:none}</style><base href=//evil.example>",
    "{{constructor.constructor('document.title=1')()}} ${document.title=1}",
    "javascript:document.title='stolen'//",
    "<a href=javascript:document.title='stolen'>click</a>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "</textarea></title><plaintext>&lt;b&gt;&#x3c;",
)
DECEIVING = (
    "abc \u202egnp.exe\u202c end",
    "\u2067left open",
    "zero\u200bwidth\u200d\u2060\ufeffjoined",
    "a" + "\u0301" * 30,
    "﷽" * 60,
    "W" * 260,
    "👩‍❤️‍💋‍👨" * 20,
)
WEBSITES = ("https://example.org/?q=<script>alert(1)</script>", "http://example.org/'onmouseover='alert(1)")


@pytest.fixture(scope="module")
def victim(api):
    """An author of which every field has such a text, and who has posted all of them."""
    author = api.sign_up(
        name=SCRIPTS[0][:50], bio="".join(SCRIPTS[1:3])[:160], location="<b onload=x>", website=WEBSITES[0]
    )
    api.post_all(author, [*SCRIPTS, *DECEIVING])
    api.answer(author, api.post(author, SCRIPTS[1]), SCRIPTS[2])
    return author


@pytest.mark.parametrize(
    "view", ["#/@{}", "#/", "#/search?q=stolen", "#/search?q={}&what=authors", "#/settings", "#/notifications"]
)
def test_no_text_becomes_markup(open_page, victim, view):
    """No view has an element that a text wrote, loads anything from elsewhere, or has a link with another scheme."""
    page = open_page(victim, view.format(victim.username))
    elsewhere = []
    page.on("request", lambda request: elsewhere.append(request.url))
    wait_until_loaded(page)
    assert page.locator("#view :is(script, iframe, style, base, meta, object, embed, plaintext, img)").count() == 0
    assert page.locator("#view :is([onerror], [onload], [onclick], [onmouseover], [style])").count() == 0
    hrefs = page.evaluate("Array.from(document.querySelectorAll('a'), (each) => each.protocol)")
    assert set(hrefs) <= {"http:", "https:"}
    assert "stolen" not in page.title() or "search" in view
    assert [each for each in elsewhere if "evil.example" in each] == []
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width <= 0


def test_each_text_is_shown_as_it_was_written(open_page, api, victim):
    """The page shows a cheep as its text, to the letter."""
    page = open_page(victim, f"#/@{victim.username}")
    expect(page.locator("cheep-card")).to_have_count(len(SCRIPTS) + len(DECEIVING) + 2)
    shown = page.evaluate("Array.from(document.querySelectorAll('cheep-card .text'), (each) => each.textContent)")
    stored = api.get(f"/author/{victim.author_id}/cheeps?size=50")["cheeps"]
    assert shown == [each["cheep_message"] for each in stored]
    assert set(SCRIPTS) <= set(shown)


def test_an_address_cannot_do_harm(open_page, author):
    """Whatever stands behind the # is a view or the timeline, and a text at most."""
    for address in (
        "#<img src=x onerror=alert(1)>",
        "#/@<b>",
        "#/cheep/../../x",
        "#/search?q=<script>alert(1)</script>",
        "#javascript:alert(1)",
    ):
        page = open_page(author, address)
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Cheeper")
        assert page.locator("#view :is(script, img)").count() == 0


def test_the_policy_stops_what_would_slip_through(browser, url):
    """The browser itself refuses markup of a string, inline scripts and styles, and requests to other servers."""
    page = browser.new_page()
    page.goto(url)
    refused = page.evaluate(
        """async () => {
            const fails = async (act) => { try { await act(); return false; } catch { return true; } };
            const results = [
                await fails(() => { document.body.innerHTML = "<b>x</b>"; }),
                await fails(() => fetch("https://evil.example/")),
            ];
            const style = document.createElement("style");
            style.append("body { display: none }");
            document.head.append(style);
            const script = document.createElement("script");
            script.append("document.title = 'stolen'");
            await fails(() => document.head.append(script));
            return [...results, document.title !== "stolen", getComputedStyle(document.body).display !== "none"];
        }"""
    )
    page.close()
    assert refused == [True, True, True, True]
