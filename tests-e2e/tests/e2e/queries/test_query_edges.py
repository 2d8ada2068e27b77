"""Rules of every query: prefix, HEAD, `after`, errors at the edge; and of every list: pages."""

import asyncio
import time

import pytest

from cheeper_e2e.authors import expect_error, new_author, new_id, post, projected, settled, sign_up
from cheeper_local.waiting import eventually

OF_AN_AUTHOR = {
    "author": "/author/{author}",
    "counter": "/author/{author}/followers-counter",
    "followers": "/author/{author}/followers",
    "following": "/author/{author}/following",
    "timeline": "/author/{author}/timeline",
    "cheeps": "/author/{author}/cheeps",
    "notifications": "/author/{author}/notifications",
}
OF_A_CHEEP = {"cheep": "/cheep/{cheep}", "answers": "/cheep/{cheep}/answers"}
SEARCHES = {"search": "/search?q={word}", "search of authors": "/search/authors?q={word}"}
BY_ID = {**OF_AN_AUTHOR, **OF_A_CHEEP, "command": "/command/{command}"}
QUERIES = {**BY_ID, **SEARCHES, "author by name": "/author?username={username}"}
LISTS = ["followers", "following", "timeline", "cheeps", "answers", "notifications"]
ENTRIES = 11

each_query = pytest.mark.parametrize("name", QUERIES)


@pytest.fixture
async def names(client):
    """The ids and words of an author who has a cheep, for a query to ask about."""
    author = await sign_up(client)
    cheep = await projected(client, await client.post_cheep(author.author_id, "word"))
    return {
        "author": author.author_id,
        "username": author.username,
        "cheep": cheep.data["cheep_id"],
        "command": cheep.message_id,
        "word": "word",
    }


def unknown_names():
    """Return names that no author, cheep or command has."""
    return {
        **dict.fromkeys(("author", "cheep", "command"), new_id()),
        "username": new_author().username,
        "word": new_id(),
    }


async def ask(client, path, **params):
    """A query whose path may have parameters already."""
    path, _, query = path.partition("?")
    given = dict([query.split("=", 1)]) if query else {}
    return await client.query(path, **{**given, **params})


# --- the same query --------------------------------------------------------------------------------------------------


@each_query
async def test_chapter7_and_head_are_the_same_query(client, names, name):
    """Below /chapter7 is the same; HEAD has the same status and headers, and no body."""
    path = QUERIES[name].format(**names)
    reply, below = await ask(client, path), await ask(client, f"/chapter7{path}")
    assert reply.status == 200
    assert reply.headers["x-message-id"] == reply.message_id
    if name != "search":  # others post words meanwhile
        assert (below.status, below.data) == (reply.status, reply.data)
    head = await client.request("HEAD", path)
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["content-type"] == reply.headers["content-type"]
    assert head.headers["x-message-id"]
    missing = await client.request("HEAD", "/cheep/" + new_id())
    assert (missing.status, missing.raw) == (404, b"")


@pytest.mark.parametrize("name", BY_ID)
async def test_ids_may_come_in_upper_case(client, names, name):
    """Ids in upper case are the same ids."""
    upper = {key: value.upper() for key, value in names.items()}
    reply, same = await ask(client, QUERIES[name].format(**names)), await ask(client, QUERIES[name].format(**upper))
    assert (same.status, same.data) == (200, reply.data)


@each_query
async def test_what_does_not_exist(client, name):
    """An unknown id is 404 with its code; a search finds nothing, and an unknown author's timeline is empty."""
    reply = await ask(client, QUERIES[name].format(**unknown_names()))
    if name == "timeline":
        assert (reply.status, reply.data) == (200, {"cheeps": []})
    elif name in SEARCHES:
        assert (reply.status, reply.data["items"], reply.data["total"]) == (200, [], 0)
    elif name == "command":
        expect_error(reply, 404, "command_not_found")
    else:
        expect_error(reply, 404, "cheep_not_found" if name in OF_A_CHEEP else "author_not_found")


# --- wrong parameters ------------------------------------------------------------------------------------------------


@each_query
@pytest.mark.parametrize(
    ("parameter", "value"), [("x", "1"), ("after", "bob"), ("timeout", "11"), ("timeout", "-1"), ("timeout", "soon")]
)
async def test_wrong_parameters_are_named(client, name, parameter, value):
    """Every query takes only the parameters that it knows, and says which one was wrong."""
    reply = await ask(client, QUERIES[name].format(**unknown_names()), **{parameter: value})
    expect_error(reply, 422, "invalid", parameter)


@pytest.mark.parametrize("name", BY_ID)
@pytest.mark.parametrize("wrong", ["bob", "1", "a64a52cc-3ee9-4a15-918b", "%00", "a64a52cc3ee94a15918b099e18b43119x"])
async def test_an_id_in_a_path_is_a_uuid(client, callers, name, wrong):
    """A path with something else in an id's place is 422 and names it, if its caller may read anything there."""
    path = BY_ID[name].format(author=wrong, cheep=wrong, command=wrong)
    if callers is not None and name == "notifications":
        expect_error(await ask(client, path), 403, "not_allowed")
        return
    field = "message_id" if name == "command" else "cheep_id" if name in OF_A_CHEEP else "author_id"
    expect_error(await ask(client, path), 422, "invalid", field)


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("size", 0),
        ("size", 101),
        ("size", -1),
        ("size", "ten"),
        ("size", ""),
        ("size", "1e1"),
        ("cursor", "nonsense"),
        ("cursor", ""),
        ("cursor", "AAAA"),
        ("offset", -1),
        ("offset", 800),
        ("offset", "ten"),
        ("page", 1),
    ],
)
async def test_wrong_parameters_of_a_list_are_named(client, name, parameter, value):
    """A size, cursor or offset that cannot be is 422 and named; only timelines have an offset, only searches pages."""
    reply = await ask(client, BY_ID[name].format(**unknown_names()), **{parameter: value})
    expect_error(reply, 422, "invalid", parameter)


@pytest.mark.parametrize("name", [name for name in LISTS if name != "timeline"])
async def test_other_lists_have_no_offset(client, names, name):
    """An offset that a timeline would take is unknown elsewhere."""
    expect_error(await ask(client, BY_ID[name].format(**names), offset=1), 422, "invalid", "offset")


# --- after -----------------------------------------------------------------------------------------------------------


@each_query
async def test_after_a_command_its_effects_are_there(client, name):
    """With `after` every query sees the effects of a command that was only just accepted, sync or async."""
    person, word = new_author(), f"w{new_id()[:8]}"
    signed = await client.sign_up(person.author_id, person.username, person.email, name=word)
    names = {"author": person.author_id, "username": person.username, "word": word, "command": signed.message_id}
    if name not in ("search", *OF_A_CHEEP):
        reply = await ask(client, QUERIES[name].format(**names, cheep=""), after=signed.message_id, timeout=10)
        assert (reply.status, reply.meta.get("stale")) == (200, None)
    for number in range(3):
        posted = await client.post_cheep(person.author_id, f"{word} {number}")
        names |= {"cheep": posted.data["cheep_id"], "command": posted.message_id}
        reply = await ask(client, QUERIES[name].format(**names), after=posted.message_id, timeout=10)
        assert (reply.status, reply.meta.get("stale")) == (200, None), reply.data
        if name in ("author", "author by name"):
            assert reply.data["cheeps"] == number + 1
        elif name in ("search", "cheeps"):
            [entries] = [entry for entry in reply.data.values() if isinstance(entry, list)]
            assert (entries[0]["cheep_id"], len(entries)) == (posted.data["cheep_id"], number + 1)
        elif name == "search of authors":
            assert [item["cheeps"] for item in reply.data["items"]] == [number + 1]
        elif name == "command":
            assert reply.data["status"] == "projected"


async def test_after_a_post_it_is_on_timelines(client):
    """With `after` a post stands first on a follower's timeline."""
    reader, author = await sign_up(client), await sign_up(client)
    await projected(client, await client.follow(reader.author_id, author.author_id))
    for number in range(20):
        posted = await client.post_cheep(author.author_id, f"Now {number}")
        reply = await client.timeline(reader.author_id, size=1, after=posted.message_id, timeout=10)
        [shown] = reply.data["cheeps"]
        assert (shown["cheep_id"], reply.meta.get("stale")) == (posted.data["cheep_id"], None)


@pytest.mark.variants
@each_query
async def test_after_what_changed_nothing_or_was_rejected(client, names, name):
    """`after` a command that changed nothing or was rejected does not wait for the time-out, which would be stale."""
    unchanged = await client.unfollow(names["author"], names["author"])
    rejected = await client.follow(new_id(), names["author"])
    for command in (unchanged, rejected):
        await settled(client, command.message_id)
        reply = await ask(client, QUERIES[name].format(**names), after=command.message_id, timeout=10)
        assert (reply.status, reply.meta.get("stale")) == (200, None)


@pytest.mark.variants
@each_query
async def test_after_an_unknown_command_is_stale(client, names, name):
    """`after` an id that no command has waits for its time-out and then the response says that it may be stale."""
    path = QUERIES[name].format(**names)
    began = time.monotonic()
    reply = await ask(client, path, after=new_id(), timeout=0.3)
    assert (reply.status, reply.meta["stale"]) == (200, True)
    assert time.monotonic() - began > 0.25
    if name != "search":
        assert reply.data == (await ask(client, path)).data


@each_query
async def test_a_404_too_may_be_marked_stale(client, name):
    """A response without a result at the time-out is marked stale, so that it differs from a definite one."""
    reply = await ask(client, QUERIES[name].format(**unknown_names()), after=new_id(), timeout=0)
    assert reply.status == (200 if name in ("timeline", *SEARCHES) else 404)
    assert reply.meta.get("stale") is True


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
async def crowd(client):
    """Names of an author with eleven entries in each list."""
    author, others = await sign_up(client), [await sign_up(client) for _ in range(ENTRIES - 1)]
    parent = await post(client, author, "Parent")
    commands = []
    for other in others:
        commands.append(await client.follow(other.author_id, author.author_id))
        commands.append(await client.follow(author.author_id, other.author_id))
        commands.append(await client.answer_cheep(parent, other.author_id, "Answer"))
        commands.append(await client.post_cheep(author.author_id, "Cheep"))
    last = await sign_up(client)
    commands.append(await client.follow(last.author_id, author.author_id))
    commands.append(await client.follow(author.author_id, last.author_id))
    commands.append(await client.answer_cheep(parent, last.author_id, "Answer"))
    await asyncio.gather(*(projected(client, command) for command in commands))

    async def all_notified():
        entries = await client.whole_list(f"/author/{author.author_id}/notifications")
        return len(entries) == 1 + 2 * ENTRIES

    await eventually(all_notified, what=f"{author.author_id} is notified of everything")
    return {"author": author.author_id, "cheep": parent}


async def test_walking_by_cursor_gives_everything_once(client, crowd):
    """Pages of any size, the last without a cursor, hold the whole list in order, each entry once; ten by default."""
    for name in LISTS:
        await walk(client, name, BY_ID[name].format(**crowd))


async def walk(client, name, path):
    """Walk a list by cursor in pages of several sizes."""
    whole = await client.whole_list(path)
    assert len(whole) == (1 + 2 * ENTRIES if name == "notifications" else ENTRIES)
    assert len({tuple(entry.items()) for entry in whole}) == len(whole)
    for size in (1, 2, 10, 11, 12, 23):
        assert await client.whole_list(path, size=size) == whole
    first = await ask(client, path)
    [shown] = first.data.values()
    assert shown == whole[:10]
    second = await ask(client, path, cursor=first.meta["next_cursor"])
    [shown] = second.data.values()
    assert shown == whole[10:20]
    shown_dates = [next(entry[key] for key in ("cheep_date", "followed_at", "at") if key in entry) for entry in whole]
    assert shown_dates == sorted(shown_dates, reverse=name != "answers")
