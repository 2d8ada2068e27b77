"""Queries through the gateway: what each shows, pages, what is refused, and waiting for one's own writes."""

import re
import time

import pytest

from cheeper_e2e.people import follow, new_id, post, refused, sign_up, somebody

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
ONE_AUTHOR = ["/author/{}", "/author/{}/followers-counter", "/author/{}/timeline"]
QUERIES = [*ONE_AUTHOR, "/cheep/{}"]

TEXTS = [
    "plain",
    "Grüße aus Åland, naïve café",
    "ما هذا؟ שלום 你好 こんにちは",
    "\N{FAMILY}\N{ZERO WIDTH JOINER}\N{GRINNING FACE} \U0001f1e9\U0001f1ea",
    "quotes \" and \\ and </script> and '; DROP TABLE cheeps; --",
    "two\nlines",
    "%s %d {0} {{}} $HOME \\u0041 &amp;",
    "\N{GRINNING FACE}" * 260,
]


@pytest.fixture
async def followed(client):
    """A reader and whom the reader follows, with seven cheeps, newest first."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    return reader, author, [await post(client, author, f"Cheep {number}") for number in range(7)][::-1]


def ids(reply):
    return [cheep["cheep_id"] for cheep in reply.data["cheeps"]]


# --- what is shown ---------------------------------------------------------------------------------------------------


async def test_the_counter_is_as_the_book_prints_it(client):
    """followers-counter has the book's three keys."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    reply = await client.followers_counter(bob.author_id)
    assert reply.status == 200
    assert reply.data == {"authorId": bob.author_id, "authorUsername": bob.username, "numberOfFollowers": 1}
    assert reply.headers["x-message-id"] == reply.message_id


async def test_the_counter_of_nobody_is_the_books_404(client):
    """An unknown author's counter is 404 with the book's sentence."""
    nobody = new_id()
    sentence = refused(await client.followers_counter(nobody), 404, "author_not_found")
    assert sentence == f'Author "{nobody}" does not exist'


async def test_a_profile_shows_what_was_signed_up_with(client):
    """GET /author has every field of the profile and its counts, and no e-mail address."""
    bob, alice = somebody(), await sign_up(client)
    profile = {
        "name": "Bób",
        "bio": "I \N{HEAVY BLACK HEART} cheeps",
        "location": "Åland",
        "website": "https://bob.example/x?y=z",
        "birth_date": "1990-02-28",
    }
    signed = await client.sign_up(bob.author_id, bob.username, bob.email, **profile)
    followed = await client.follow(alice.author_id, bob.author_id)
    await client.author(bob.author_id, after=signed.message_id)
    reply = await client.author(bob.author_id, after=followed.message_id)
    shown = dict(reply.data)
    assert DATE.fullmatch(shown.pop("signed_up_at"))
    counts = {"followers": 1, "following": 0, "cheeps": 0}
    assert shown == {"author_id": bob.author_id, "username": bob.username, **profile, **counts}
    assert bob.email not in reply.raw.decode()


async def test_a_bare_profile_has_nulls(client):
    """What was left out at sign-up is null."""
    bob = await sign_up(client)
    data = (await client.author(bob.author_id)).data
    assert {name for name, value in data.items() if value is None} == {
        "name",
        "bio",
        "location",
        "website",
        "birth_date",
    }


async def test_a_cheep_shows_on_its_own_and_on_timelines_alike(client, followed):
    """A cheep has the same fields and values wherever it stands."""
    reader, author, (newest, *_) = followed
    alone = (await client.cheep(newest)).data
    assert DATE.fullmatch(alone["cheep_date"])
    expected = {
        "cheep_id": newest,
        "cheep_date": alone["cheep_date"],
        "cheep_message": "Cheep 6",
        "author_id": author.author_id,
        "author_username": author.username,
        "in_reply_to": None,
        "edited_at": None,
    }
    assert (await client.timeline(reader.author_id)).data["cheeps"][0] == expected
    assert expected.items() <= alone.items()


async def test_a_cheep_has_no_answers_yet(client, followed):
    """GET /cheep says how many answers there are and shows the first."""
    _, _, (newest, *_) = followed
    data = (await client.cheep(newest)).data
    assert (data["answers"], data["number_of_answers"]) == ([], 0)


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:12]))
async def test_text_comes_back_as_it_went_in(client, text):
    """Any UTF-8 text is shown unchanged, on its own and on a timeline."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    cheep_id = await post(client, author, text)
    assert (await client.cheep(cheep_id)).data["cheep_message"] == text
    assert (await client.timeline(reader.author_id)).data["cheeps"][0]["cheep_message"] == text


async def test_text_is_trimmed_and_composed(client):
    """Text is kept in NFC without white space around it."""
    author = await sign_up(client)
    cheep_id = await post(client, author, " \n cafe\N{COMBINING ACUTE ACCENT} \n")
    assert (await client.cheep(cheep_id)).data["cheep_message"] == "caf\N{LATIN SMALL LETTER E WITH ACUTE}"


async def test_unknown_ids(client):
    """What does not exist is 404 with its code; an unknown author's timeline is empty by the book's design."""
    nobody = new_id()
    refused(await client.author(nobody), 404, "author_not_found")
    refused(await client.cheep(nobody), 404, "cheep_not_found")
    reply = await client.timeline(nobody)
    assert (reply.status, reply.data) == (200, {"cheeps": []})


# --- timelines -------------------------------------------------------------------------------------------------------


async def test_ones_own_cheeps_are_not_on_ones_timeline(client, followed):
    """A timeline holds the cheeps of those whom the author follows, never the author's own."""
    reader, author, cheeps = followed
    assert ids(await client.timeline(author.author_id)) == []
    assert ids(await client.timeline(reader.author_id)) == cheeps


async def test_following_brings_earlier_cheeps_in(client, followed):
    """A follow puts what the followed author posted before on the follower's timeline, among the rest by date."""
    _, author, cheeps = followed
    late, other = await sign_up(client), await sign_up(client)
    await follow(client, late, other)
    newest = await post(client, other, "newer than all")
    await follow(client, late, author)
    assert ids(await client.timeline(late.author_id)) == [newest, *cheeps]


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 100])
async def test_walking_by_cursor_gives_everything_once(client, followed, size):
    """Pages of any size, the last without a cursor, hold the whole timeline in order."""
    reader, _, cheeps = followed
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        reply = await client.timeline(reader.author_id, size=size, cursor=cursor)
        found += ids(reply)
        cursor, pages = reply.meta.get("next_cursor"), pages + 1
    assert (found, pages) == (cheeps, -(-len(cheeps) // size))


async def test_ten_stand_on_a_page_by_default(client, followed):
    """Without a size a page has ten."""
    reader, author, cheeps = followed
    for number in range(4):
        cheeps = [await post(client, author, f"More {number}"), *cheeps]
    reply = await client.timeline(reader.author_id)
    assert ids(reply) == cheeps[:10]
    assert ids(await client.timeline(reader.author_id, cursor=reply.meta["next_cursor"])) == cheeps[10:]


async def test_new_cheeps_do_not_disturb_a_walk(client, followed):
    """Walking by cursor while others write gives every entry that stood throughout once, and none twice."""
    reader, author, cheeps = followed
    reply = await client.timeline(reader.author_id, size=2)
    found = ids(reply)
    while cursor := reply.meta.get("next_cursor"):
        await post(client, author, "in between")
        reply = await client.timeline(reader.author_id, size=2, cursor=cursor)
        found += ids(reply)
    assert found == cheeps


@pytest.mark.parametrize("offset", [0, 1, 5, 6, 7, 799])
async def test_the_books_offset(client, followed, offset):
    """An offset skips so many of the newest."""
    reader, _, cheeps = followed
    assert ids(await client.timeline(reader.author_id, offset=offset, size=3)) == cheeps[offset : offset + 3]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("size", 0),
        ("size", 101),
        ("size", -1),
        ("size", "ten"),
        ("size", ""),
        ("size", "1e1"),
        ("offset", -1),
        ("offset", 800),
        ("offset", "ten"),
        ("cursor", "nonsense"),
        ("cursor", ""),
        ("cursor", "AAAA"),
        ("x", "1"),
    ],
)
async def test_wrong_parameters_of_a_timeline_are_named(client, name, value):
    """A parameter that cannot be is 422 `invalid` and named."""
    refused(await client.timeline(new_id(), **{name: value}), 422, "invalid", name)


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize(
    ("name", "value"), [("x", "1"), ("after", "bob"), ("timeout", "11"), ("timeout", "-1"), ("timeout", "soon")]
)
async def test_wrong_parameters_are_named(client, path, name, value):
    """Every query takes only the parameters that it knows, and says which one was wrong."""
    refused(await client.query(path.format(new_id()), **{name: value}), 422, "invalid", name)


@pytest.mark.parametrize("path", QUERIES)
@pytest.mark.parametrize("wrong", ["bob", "1", "a64a52cc-3ee9-4a15-918b", "%00", "a64a52cc3ee94a15918b099e18b43119x"])
async def test_an_id_in_a_path_is_a_uuid(client, path, wrong):
    """A path with something else in an id's place is 422 and names it."""
    refused(await client.query(path.format(wrong)), 422, "invalid", "cheep_id" if "cheep" in path else "author_id")


@pytest.mark.parametrize("path", QUERIES)
async def test_chapter7_and_head_are_the_same_query(client, followed, path):
    """Below /chapter7 stands the same; HEAD answers the same status and no body."""
    reader, _, (newest, *_) = followed
    plain = path.format(newest if "cheep" in path else reader.author_id)
    reply = await client.query(plain)
    prefixed = await client.query(f"/chapter7{plain}")
    assert reply.status == 200
    assert (prefixed.status, prefixed.data) == (reply.status, reply.data)
    head = await client.request("HEAD", plain)
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["content-type"] == reply.headers["content-type"]
    assert head.headers["x-message-id"]


# --- after -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ONE_AUTHOR)
async def test_after_a_sign_up_the_author_is_there(client, path):
    """A query with `after` sees a synchronous command's effects."""
    person = somebody()
    signed = await client.sign_up(person.author_id, person.username, person.email)
    reply = await client.query(path.format(person.author_id), after=signed.message_id)
    assert (reply.status, reply.meta.get("stale")) == (200, None)


async def test_after_a_post_the_cheep_is_there(client):
    """A query with `after` sees an asynchronous command's effects, on every view, at once after the 202."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    for number in range(20):
        posted = await client.post_cheep(author.author_id, f"Now {number}")
        timeline = await client.timeline(reader.author_id, size=1, after=posted.message_id)
        assert (ids(timeline), timeline.meta.get("stale")) == ([posted.data["cheep_id"]], None)
        cheep = await client.cheep(posted.data["cheep_id"], after=posted.message_id)
        assert (cheep.status, cheep.meta.get("stale")) == (200, None)
        profile = await client.author(author.author_id, after=posted.message_id)
        assert profile.data["cheeps"] == number + 1


async def test_after_what_changed_nothing_or_was_rejected(client):
    """`after` a command that changed nothing, or that was rejected, answers without waiting for the time-out."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    unchanged = await client.follow(alice.author_id, bob.author_id)
    rejected = await client.follow(new_id(), bob.author_id)
    for command in (unchanged, rejected):
        for query in (client.followers_counter, client.author, client.timeline):
            began = time.monotonic()
            reply = await query(bob.author_id, after=command.message_id, timeout=10)
            assert "stale" not in reply.meta
            assert time.monotonic() - began < 8


@pytest.mark.parametrize("path", QUERIES)
async def test_after_an_unknown_command_is_stale(client, followed, path):
    """`after` an id that no command has waits for its time-out and then says that the answer may be stale."""
    reader, _, (newest, *_) = followed
    plain = path.format(newest if "cheep" in path else reader.author_id)
    began = time.monotonic()
    reply = await client.query(plain, after=new_id(), timeout=1)
    assert (reply.status, reply.meta["stale"]) == (200, True)
    assert 0.9 < time.monotonic() - began < 4
    assert reply.data == (await client.query(plain)).data


@pytest.mark.parametrize("path", ["/author/{}", "/author/{}/followers-counter", "/cheep/{}"])
async def test_a_404_too_says_that_it_may_be_stale(client, path):
    """Where nothing is there yet when the time-out ends, the 404 is marked, so that a client can tell it from a no."""
    reply = await client.query(path.format(new_id()), after=new_id(), timeout=0)
    assert (reply.status, reply.meta.get("stale")) == (404, True)
