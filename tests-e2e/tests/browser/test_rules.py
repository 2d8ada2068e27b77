"""The client's pure functions, in the browser that runs them."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from write_api.domain.values import cheep_text

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def test_a_message_is_as_long_as_the_server_counts_it(plain):
    """Code points count, in NFC, after trimming, with the controls that a paragraph leaves open closed."""
    texts = [
        *(
            "a",
            "  a b \n",
            "\u00a0a\u3000",
            "\x1fa\x85",
            "\ufeffa",
            "e\u0301",
            "👩‍👩‍👧",
            "\U0001d4b3\U0001d4b4",
            "\u202ea",
            "\u202aa\u202c",
            "a\u202c",
        ),
        *(
            "\u2067a\u202eb\u2069c",
            "\u2067a\nb\u2069",
            "a\u2069b",
            "\u202ea\u2068b\u202cc\u2069d",
            "שלום",
            "o\u0308" * 20,
        ),
    ]
    counted = plain("lib/text.js", "(all, texts) => texts.map(all.length)", texts)
    assert counted == [len(cheep_text(text)) for text in texts]


def test_a_text_that_shows_nothing_cannot_be_sent(plain):
    """White space, format characters and blanks are invisible; the server refuses a message of them alone."""
    unseen = ["", "  \n", "\u200b", "\u2800", "\u202e\u202c", "\u00ad", "\ufe0f", "\u3164"]
    shown = plain("lib/text.js", "(all, texts) => texts.map(all.isVisible)", [*unseen, "a", "👍", "\u0301a"])
    assert shown == [False] * len(unseen) + [True] * 3
    for text in unseen:
        with pytest.raises(ValueError, match="visible"):
            cheep_text(text)


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("Crème brûlée", "creme BRU", ["Crème", "brû"]),
        ("Łódź, lodz", "lodz", ["Łódź", "lodz"]),
        ("e\u0301te\u0301 etude", "et", ["e\u0301t", "et"]),
        ("concat cat", "cat", ["cat"]),
        ("日本語のつぶやき", "つぶやき", ["つぶやき"]),
        ("straße", "stras", ["straß"]),
        ("a.b@c", "b", ["b"]),
        ("<b>bold</b>", "b", ["b", "b", "b"]),
        ("nothing", "else", []),
    ],
)
def test_what_a_search_has_found_is_marked(plain, text, query, found):
    """The beginnings of words are marked as the search finds them, and the parts together are the text."""
    parts = plain("lib/text.js", "(all, [text, query]) => all.highlighted(text, query)", [text, query])
    assert "".join(part["text"] for part in parts) == text
    assert [part["text"] for part in parts if part["found"]] == found


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (timedelta(seconds=-90), "now"),
        (timedelta(seconds=44), "now"),
        (timedelta(seconds=50), "1 min"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(minutes=59, seconds=40), "1 h"),
        (timedelta(hours=23), "23 h"),
        (timedelta(hours=30), "1 d"),
        (timedelta(days=30), "30 Oct"),
        (timedelta(days=400), "25 Oct 2025"),
    ],
)
def test_times_are_relative_for_a_week(plain, ago, expected):
    """A time is so many minutes, hours or days ago, and then a day; the clock of the server may be ahead."""
    times = [(NOW - ago).isoformat(timespec="seconds"), NOW.timestamp() * 1000]
    assert plain("lib/time.js", "(all, [iso, now]) => all.relative(iso, now)", times) == expected


def test_addresses_of_other_schemes_are_no_links(plain):
    """Only http and https may be followed, whatever stands before the scheme."""
    urls = [
        "https://a.example/",
        "http://a.example/",
        "javascript:alert(1)",
        " JaVa\tscript:alert(1)",
        "data:text/html,x",
        "//a",
        "",
    ]
    links = plain("lib/text.js", "(all, urls) => urls.map(all.safeUrl)", urls)
    assert links == ["https://a.example/", "http://a.example/", None, None, None, None, None]


def test_commands_on_their_way_are_laid_over_the_lists(plain):
    """A posted cheep comes first, an edit replaces the text, a deleted cheep is gone, and a refusal has no effect."""
    base = [{"cheep_id": each, "author_id": "me", "cheep_message": each, "edited_at": None} for each in "abc"]
    entries = [
        {
            "kind": "PostCheep",
            "state": "waiting",
            "at": "2",
            "about": {"cheep_id": "d", "author_id": "me", "message": "d"},
        },
        {"kind": "UpdateCheep", "state": "accepted", "at": "3", "about": {"cheep_id": "d", "message": "D"}},
        {"kind": "UpdateCheep", "state": "refused", "at": "3", "about": {"cheep_id": "a", "message": "no"}},
        {"kind": "DeleteCheep", "state": "accepted", "at": "4", "about": {"cheep_id": "b"}},
        {
            "kind": "PostCheep",
            "state": "accepted",
            "at": "5",
            "about": {"cheep_id": "a", "author_id": "me", "message": "a"},
        },
    ]
    script = """({ overlaid }, [base, entries]) =>
        overlaid(base, entries, () => true).map((each) => [each.cheep_message, each.pending ?? null])"""
    assert plain("data/overlay.js", script, [base, entries]) == [["D", "accepted"], ["a", None], ["c", None]]


def test_ids_are_random_uuids(plain):
    """An id is a UUID of version 4, another one each time."""
    ids = plain("lib/ids.js", "(all) => Array.from({ length: 100 }, all.newId)")
    assert len(set(ids)) == 100
    assert [uuid.UUID(each).version for each in ids] == [4] * 100


EVENTS = (
    'retry: 700\r\n\r\n: hello\n\nid: a\nevent: cheep\ndata: {"x":\ndata:1}\n\n'
    "id\rdata: b: c\r\revent: lost\n\nid: z\ndata: cut"
)


def test_events_are_read_as_the_standard_says(plain):
    """However a stream is cut into pieces, its events, its pause and its last id are those of the HTML standard."""
    script = """({ EventParser }, text) => Array.from(text, (_, at) => {
        const parser = new EventParser("before");
        const events = [text.slice(0, at), text.slice(at)].flatMap((piece) => [...parser.take(piece)]);
        return [events.map(({ name, data }) => [name, data]), parser.retry, parser.lastId];
    })"""
    expected = [[["cheep", '{"x":\n1}'], ["message", "b: c"]], 700, ""]
    assert plain("lib/sse.js", script, EVENTS) == [expected] * len(EVENTS)
    assert plain("lib/sse.js", '({ EventParser }) => new EventParser("before").lastId') == "before"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("cheep", {"cheep_id": "n", "cheep_date": "5"}, "nabc"),
        ("cheep", {"cheep_id": "n", "cheep_date": "3"}, "nabc"),
        ("cheep", {"cheep_id": "n", "cheep_date": "2"}, "anbc"),
        ("cheep", {"cheep_id": "n", "cheep_date": "0"}, "abcn"),
        ("cheep", {"cheep_id": "n", "cheep_date": "2", "below": "b"}, "abnc"),
        ("cheep", {"cheep_id": "c", "cheep_date": "2", "below": "a"}, "acb"),
        ("cheep", {"cheep_id": "n", "cheep_date": "2", "below": "not loaded"}, "abc"),
        ("deleted", {"cheep_id": "b"}, "ac"),
        ("deleted", {"cheep_id": "n"}, "abc"),
        ("unfollowed", {"author_id": "x"}, "b"),
        ("followed", {"author_id": "x"}, "abc"),
    ],
)
def test_an_event_changes_the_timeline_once(plain, name, data, expected):
    """Each event has its effect on the list, and applied once more it has none."""
    cheeps = [
        {"cheep_id": each, "cheep_date": date, "author_id": author, "edited_at": None}
        for each, date, author in (("a", "3", "x"), ("b", "2", "y"), ("c", "1", "x"))
    ]
    script = """({ applied }, [cheeps, name, data]) => {
        const once = applied(cheeps, name, data);
        return [once, applied(once, name, data)].map((all) => all.map((each) => each.cheep_id).join(""));
    }"""
    assert plain("lib/timeline.js", script, [cheeps, name, data]) == [expected, expected]


def test_an_edit_that_is_late_changes_nothing_back(plain):
    """An event about an earlier state than the one that was read is dropped."""
    cheep = {"cheep_id": "a", "cheep_message": "second", "edited_at": "2"}
    events = [
        {**cheep, "cheep_message": "first", "edited_at": "1"},
        {**cheep, "cheep_message": "3rd", "edited_at": "3"},
    ]
    script = """({ applied }, [cheep, events]) =>
        events.map((each) => applied([cheep], "edited", each)[0].cheep_message)"""
    assert plain("lib/timeline.js", script, [cheep, events]) == ["second", "3rd"]


ENTRIES = """async ({ Entries }, [pages, steps]) => {
    const entries = new Entries((each) => each);
    let [waits, now] = [false, pages];
    const load = async (cursor) => {
        const at = cursor ?? 0;
        const read = { items: [...(now[at] ?? "")], next: at + 1 < now.length ? at + 1 : null };
        for (const each of during.splice(0)) entries.change(each, () => waits);
        return read;
    };
    const during = [];
    const change = (text) => (items) => text[0] === "-"
        ? items.filter((each) => each !== text[1])
        : [...text.slice(1), ...items.filter((each) => each !== text[1])];
    const found = [];
    for (const [step, value] of steps) {
        if (step === "waits") waits = value;
        if (step === "server") now = value;
        if (step === "more") await entries.more(load);
        if (step === "refresh") await entries.refresh(load, { withholds: () => waits, anew: value === "anew" });
        if (step === "change") entries.change(change(value), () => waits);
        if (step === "during") during.push(change(value));
        if (step === "show") entries.showAll();
        if (step === "is") found.push([value, entries.shown.join("") + "+" + entries.waiting]);
    }
    return found;
}"""


@pytest.mark.parametrize(
    "steps",
    [
        "more; is cba+0; more; is cba987+0",
        "more; change +d; is dcba+0; change -b; is dca+0",
        "more; waits; change +d; change +e; is cba+2; change -d; is cba+1; show; is ecba+0",
        "during +d; more; is dcba+0",
        "during -b; more; is ca+0; during -8; more; is ca97+0",
        "more; change -8; more; is cba97+0",
        "more; server dca,987; during +e; refresh; is edca+0",
        "more; waits; server dcb,a98,7; refresh; is cba+1; show; is dcba+0; more; is dcba98+0",
        "more; waits; server zyx,dcb,a; refresh; is cba+3; change +!; is cba+4; show; is !zyx+0; more; is !zyxdcb+0",
        "more; more; waits; server cXb,a98,7; refresh anew; is cba987+1; show; is cXb+0; more; is cXba98+0",
        "more; more; waits; server cba,987; refresh anew; is cba987+0",
        "more; server ; refresh; is +0",
    ],
)
def test_a_list_is_what_was_loaded_and_what_has_changed_since(plain, steps):
    """A change that comes during a load is in its page, what is withheld is counted, and no entry is there twice."""
    parsed = []
    for step in steps.split("; "):
        word, _, value = step.partition(" ")
        parsed.append([word, True if word == "waits" else value.split(",") if word == "server" else value])
    found = plain("lib/entries.js", ENTRIES, [["cba", "987"], parsed])
    assert [each for _, each in found] == [each for each, _ in found]
