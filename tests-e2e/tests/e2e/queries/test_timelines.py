"""Timelines: the cheeps that they show, and their order."""

import pytest

from cheeper_e2e.authors import follow, new_id, post, projected, sign_up


@pytest.fixture
async def followed(client):
    """A reader and whom the reader follows, with seven cheeps, newest first."""
    reader, author = await sign_up(client), await sign_up(client)
    await follow(client, reader, author)
    return reader, author, [await post(client, author, f"Cheep {number}") for number in range(7)][::-1]


def ids(reply):
    return [cheep["cheep_id"] for cheep in reply.data["cheeps"]]


async def test_an_unknown_authors_timeline_is_empty(client):
    """By the book's design it is no error."""
    reply = await client.timeline(new_id())
    assert (reply.status, reply.data) == (200, {"cheeps": []})


async def test_a_cheep_shows_on_its_own_and_on_timelines_alike(client, followed):
    """A cheep has the same fields and values wherever it stands."""
    reader, _, (newest, *_) = followed
    alone = (await client.cheep(newest)).data
    on_timeline = (await client.timeline(reader.author_id)).data["cheeps"][0]
    assert alone == {**on_timeline, "answers": [], "number_of_answers": 0}


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


async def test_unfollowing_takes_out_and_following_again_brings_back(client, followed):
    """Of two who are followed one is left, and is back with what was posted and without what was deleted meanwhile."""
    reader, author, cheeps = followed
    other = await sign_up(client)
    await follow(client, reader, other)
    stays = await post(client, other, "stays")
    await projected(client, await client.unfollow(reader.author_id, author.author_id))
    assert ids(await client.timeline(reader.author_id)) == [stays]
    meanwhile = await post(client, author, "meanwhile")
    await projected(client, await client.delete_cheep(cheeps[0], author.author_id))
    await projected(client, await client.update_cheep(cheeps[1], author.author_id, "edited"))
    assert ids(await client.timeline(reader.author_id)) == [stays]
    await follow(client, reader, author)
    timeline = await client.timeline(reader.author_id)
    assert ids(timeline) == [meanwhile, stays, *cheeps[1:]]
    assert timeline.data["cheeps"][2]["cheep_message"] == "edited"


async def test_a_deletion_leaves_no_hole(client, followed):
    """Pages stay full when entries between are deleted."""
    reader, author, cheeps = followed
    for deleted in cheeps[1:5:2]:
        await projected(client, await client.delete_cheep(deleted, author.author_id))
    left = [cheep for cheep in cheeps if cheep not in cheeps[1:5:2]]
    assert ids(await client.timeline(reader.author_id, size=3)) == left[:3]
    assert ids(await client.timeline(reader.author_id, size=3, offset=1)) == left[1:4]


async def test_the_books_offset(client, followed):
    """An offset skips so many of the newest."""
    reader, _, cheeps = followed
    for offset in (0, 1, 5, 6, 7, 799):
        page = await client.timeline(reader.author_id, offset=offset, size=3)
        assert ids(page) == cheeps[offset : offset + 3], offset
