"""Following and unfollowing, and what shows it: the counter, the followers and the following."""

import re

from cheeper_e2e.authors import expect_error, expect_rejected, follow, new_id, projected, sign_up

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


async def counted(client, author):
    """Return the counter's value."""
    return (await client.followers_counter(author.author_id)).data["numberOfFollowers"]


# --- POST /follow ----------------------------------------------------------------------------------------------------


async def test_a_follow_is_accepted(client):
    """The response is 202 with the three ids, the follow's as the client chose it."""
    alice, bob = await sign_up(client), await sign_up(client)
    follow_id = new_id()
    reply = await client.follow(alice.author_id, bob.author_id, follow_id=follow_id)
    assert reply.status == 202
    assert reply.data == {"follow_id": follow_id, "from_author_id": alice.author_id, "to_author_id": bob.author_id}


async def test_a_second_follow_of_the_pair_changes_nothing(client):
    """A second follow with another follow id is accepted and counted once."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    again = await projected(client, await client.follow(alice.author_id, bob.author_id, follow_id=new_id()))
    assert again.status == 202
    assert (await client.command_status(again.message_id)).data["changed"] is False
    assert await counted(client, bob) == 1


async def test_no_author_follows_itself(client):
    """A follow of oneself is refused at once."""
    bob = await sign_up(client)
    expect_error(await client.follow(bob.author_id, bob.author_id), 422, "cannot_follow_self")
    expect_error(await client.follow(bob.author_id, bob.author_id.upper()), 422, "cannot_follow_self")


async def test_a_taken_follow_id_makes_no_follow(client):
    """A follow with the id of another pair's follow is rejected later, and is not counted."""
    alice, bob, charlie = await sign_up(client), await sign_up(client), await sign_up(client)
    follow_id = new_id()
    await projected(client, await client.follow(alice.author_id, bob.author_id, follow_id=follow_id))
    await expect_rejected(
        client, await client.follow(charlie.author_id, alice.author_id, follow_id=follow_id), "follow_id_taken"
    )
    assert (await counted(client, bob), await counted(client, alice)) == (1, 0)


async def test_a_follow_with_an_unknown_author_is_never_counted(client):
    """A follow of or by an author who never signed up is rejected later."""
    bob, unknown = await sign_up(client), new_id()
    await expect_rejected(client, await client.follow(unknown, bob.author_id), "author_not_found")
    assert await counted(client, bob) == 0
    await expect_rejected(client, await client.follow(bob.author_id, unknown), "author_not_found")
    expect_error(await client.followers_counter(unknown), 404, "author_not_found")


# --- DELETE /author/{from}/following/{to} ----------------------------------------------------------------------------


async def test_an_unfollow_is_accepted(client):
    """The response is 202 with both ids; then that author is no longer followed."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    reply = await client.unfollow(alice.author_id, bob.author_id)
    assert (reply.status, reply.data) == (202, {"from_author_id": alice.author_id, "to_author_id": bob.author_id})
    await projected(client, reply)
    assert await counted(client, bob) == 0
    assert (await client.followers(bob.author_id)).data == {"authors": []}
    assert (await client.following(alice.author_id)).data == {"authors": []}


async def test_an_unfollow_without_a_follow_is_no_change(client):
    """Unfollowing an author who is not followed, oneself included, changes nothing."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, bob, alice)
    for one, other in ((alice, bob), (alice, alice)):
        reply = await projected(client, await client.unfollow(one.author_id, other.author_id))
        assert (await client.command_status(reply.message_id)).data["changed"] is False
    assert await counted(client, alice) == 1


async def test_an_unfollow_with_an_unknown_author_is_rejected(client):
    """An unfollow of or by an author who never signed up is rejected later."""
    bob = await sign_up(client)
    await expect_rejected(client, await client.unfollow(new_id(), bob.author_id), "author_not_found")
    await expect_rejected(client, await client.unfollow(bob.author_id, new_id()), "author_not_found")


async def test_a_follow_after_an_unfollow_follows_again(client):
    """It does so with any follow id, also the old one, and is counted once each time."""
    alice, bob = await sign_up(client), await sign_up(client)
    follow_id = new_id()
    for again in (follow_id, follow_id, new_id()):
        reply = await projected(client, await client.follow(alice.author_id, bob.author_id, follow_id=again))
        assert (await client.command_status(reply.message_id)).data["changed"] is True
        assert await counted(client, bob) == 1
        await projected(client, await client.unfollow(alice.author_id, bob.author_id))
        assert await counted(client, bob) == 0


# --- who follows whom ------------------------------------------------------------------------------------------------


async def test_the_counter_is_as_the_book_prints_it(client):
    """followers-counter has the book's three keys."""
    alice, bob = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    reply = await client.followers_counter(bob.author_id)
    assert reply.status == 200
    assert reply.data == {"authorId": bob.author_id, "authorUsername": bob.username, "numberOfFollowers": 1}


async def test_the_counter_of_an_unknown_author_is_the_books_404(client):
    """An unknown author's counter is 404 with the book's sentence."""
    unknown = new_id()
    sentence = expect_error(await client.followers_counter(unknown), 404, "author_not_found")
    assert sentence == f'Author "{unknown}" does not exist'


async def test_followers_and_following_are_newest_first(client):
    """Each list has id, username, name and date, the latest follow first; one who follows again is the latest."""
    bob, people = await sign_up(client), [await sign_up(client) for _ in range(3)]
    for person in people:
        await follow(client, person, bob)
        await follow(client, bob, person)
    await projected(client, await client.unfollow(people[0].author_id, bob.author_id))
    await follow(client, people[0], bob)
    lists = (
        ((await client.followers(bob.author_id)).data["authors"], [people[0], people[2], people[1]]),
        ((await client.following(bob.author_id)).data["authors"], people[::-1]),
    )
    for shown, expected in lists:
        assert all(DATE.fullmatch(entry.pop("followed_at")) for entry in shown)
        assert shown == [
            {"author_id": person.author_id, "username": person.username, "name": None} for person in expected
        ]
