"""Search of cheeps and of authors: what is found, in which order, page by page, and what can be asked."""

import uuid

import pytest

from cheeper_e2e.authors import expect_error, post, projected, sign_up

SEARCHES = ["/search", "/search/authors"]


def new_word():
    """A word that no author has used."""
    return f"w{uuid.uuid4().hex[:16]}"


def ids(reply):
    return [item["cheep_id"] for item in reply.data["items"]]


@pytest.fixture
async def author(client):
    """Somebody to post."""
    return await sign_up(client)


# --- cheeps ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("Grüße aus STRASSBURG", "grusse strassb"),
        ("Straßburg", "STRASSBURG"),
        ("naïve café", "CAFE naive"),
        ("one,two/three", "three one"),
        ("snake_case x2", "case snake x2"),
        ("東京 \N{GRINNING FACE} привет", "東 ПРИВ"),
        ("twice", "twice twice"),
        ("日本語のつぶやき", "つぶやき"),
        ("مَرْحَبًا", "مرحبا"),
        ("Łódź Ærø", "lodz aero"),
        ("beginning", "b"),
    ],
)
async def test_every_word_begins_some_word(client, author, text, q):
    """Case, accents and order do not matter; every word of the query must begin some word of the text."""
    word = new_word()
    cheep = await post(client, author, f"{text} {word}")
    assert ids(await client.search(f"{q} {word}")) == [cheep]
    assert ids(await client.search(f"{word[:12]}, {q}!")) == [cheep]


@pytest.mark.parametrize("q", ["eginning", "beginnings", "beginning none", "begin-end"])
async def test_what_is_in_no_text_finds_nothing(client, author, q):
    """The middle of a word, a longer word, and a word that is not there find nothing: 200 and no item."""
    word = new_word()
    await post(client, author, f"beginning {word}")
    reply = await client.search(f"{q} {word}")
    assert (reply.status, reply.data) == (
        200,
        {"items": [], "total": 0, "page": 1, "page_size": 20, "total_pages": 0},
    )


async def test_items_are_cheeps_and_change_with_them(client, author):
    """An item is the cheep as lists show it; an edited one is found by its new words alone, a deleted one by none."""
    before, after = new_word(), new_word()
    cheep = await post(client, author, before)
    await projected(client, await client.update_cheep(cheep, author.author_id, after))
    assert ids(await client.search(before)) == []
    reply = await client.search(after)
    assert reply.data["items"] == (await client.author_cheeps(author.author_id)).data["cheeps"]
    await projected(client, await client.delete_cheep(cheep, author.author_id))
    assert ids(await client.search(after)) == []


async def test_answers_are_found_too(client, author):
    """An answer is a cheep."""
    word = new_word()
    parent = await post(client, author, word)
    reply = await projected(client, await client.answer_cheep(parent, author.author_id, word))
    assert ids(await client.search(word)) == [reply.data["cheep_id"], parent]


async def test_one_authors_cheeps(client, author):
    """With an author's id only that author's are found; an unknown author has none."""
    word, other = new_word(), await sign_up(client)
    own, others = await post(client, author, word), await post(client, other, word)
    assert ids(await client.search(word)) == [others, own]
    assert ids(await client.search(word, author_id=author.author_id)) == [own]
    assert ids(await client.search(word, author_id=author.author_id.upper())) == [own]
    assert ids(await client.search(word, author_id=str(uuid.uuid4()))) == []


async def test_pages_of_cheeps(client, author):
    """Newest first or oldest first, in pages of any size; a page beyond the last is empty."""
    word = new_word()
    cheeps = [await post(client, author, f"{word} {number}") for number in range(7)]
    for size in (1, 2, 3, 6, 7, 8, 100):
        newest = await client.whole_search("/search", word, page_size=size)
        oldest = await client.whole_search("/search", word, page_size=size, sort_by="created_at", sort_order="asc")
        assert [item["cheep_id"] for item in newest] == cheeps[::-1]
        assert [item["cheep_id"] for item in oldest] == cheeps
    reply = await client.search(word, page=2, page_size=3)
    assert ids(reply) == cheeps[::-1][3:6]
    assert {name: value for name, value in reply.data.items() if name != "items"} == {
        "total": 7,
        "page": 2,
        "page_size": 3,
        "total_pages": 3,
    }
    assert ids(await client.search(word, sort_order="desc")) == cheeps[::-1]


async def test_a_page_has_twenty_entries_by_default(client, author):
    """Without a page size it has twenty."""
    word = new_word()
    replies = [await client.post_cheep(author.author_id, f"{word} {number}") for number in range(21)]
    for reply in replies:
        await projected(client, reply)
    reply = await client.search(word)
    assert (len(reply.data["items"]), reply.data["total"], reply.data["total_pages"]) == (20, 21, 2)


# --- authors ---------------------------------------------------------------------------------------------------------


async def test_authors_are_found_by_username_and_name(client, author):
    """Words of both count together; an item is the author's profile; a changed name is found by its new words alone."""
    before, after = new_word(), new_word()
    await projected(client, await client.update_profile(author.author_id, name=f"Bób {before}"))
    profile = (await client.author(author.author_id)).data
    for q in (before, author.username, f"bob {author.username[:8]} {before[:10]}"):
        found = (await client.search_authors(q)).data["items"]
        assert profile in found, q
    assert (await client.search_authors(before)).data["items"] == [profile]
    await projected(client, await client.update_profile(author.author_id, name=after))
    assert (await client.search_authors(before)).data["items"] == []
    [found] = (await client.search_authors(after)).data["items"]
    assert found["name"] == after
    assert (await client.search_authors(author.email.partition("@")[2])).data["items"] == []


async def test_pages_of_authors(client):
    """The latest sign-up first or last, in pages of any size."""
    word, people = new_word(), [await sign_up(client) for _ in range(4)]
    for person in people:
        await projected(client, await client.update_profile(person.author_id, name=word))
    for size in (1, 3, 4, 100):
        newest = await client.whole_search("/search/authors", word, page_size=size)
        oldest = await client.whole_search("/search/authors", word, page_size=size, sort_order="asc")
        assert [item["author_id"] for item in newest] == [person.author_id for person in people[::-1]]
        assert oldest == newest[::-1]


# --- what can be asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SEARCHES)
@pytest.mark.parametrize("q", ["", " ", "!?", "_", "\N{GRINNING FACE}", "a", "É", "a b, c", None])
async def test_a_query_without_a_word_is_refused(client, path, q):
    """Without a word, or with single Latin letters alone, there is nothing to search for: 422, and q is named."""
    expect_error(await client.query(path, q=q), 422, "invalid", "q")


@pytest.mark.parametrize("path", SEARCHES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page", 0),
        ("page", -1),
        ("page", "one"),
        ("page", ""),
        ("page_size", 0),
        ("page_size", 101),
        ("page_size", "ten"),
        ("sort_by", "name"),
        ("sort_order", "up"),
        ("size", 101),
        ("cursor", "x"),
        ("author_id", "bob"),
    ],
)
async def test_wrong_parameters_of_a_search_are_named(client, path, name, value):
    """A parameter that cannot be is 422 and named; searches have pages, no cursor."""
    expect_error(await client.query(path, q="word", **{name: value}), 422, "invalid", name)
