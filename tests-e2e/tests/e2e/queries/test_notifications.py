"""The notifications that process managers send: of a sign-up, followers and answers."""

import re

from cheeper_e2e.authors import expect_error, follow, new_id, post, projected, sign_up
from cheeper_local.waiting import eventually

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


async def notifications_of(client, person, number):
    """An author's notifications once there are so many, newest first, each as (kind, author_id, cheep_id).

    They follow from events, so no command's `after` covers them.
    """

    async def listed():
        reply = await client.notifications(person.author_id, size=100)
        return reply.data["notifications"] if len(reply.data["notifications"]) >= number else None

    entries = await eventually(listed, what=f"{number} notifications of {person.author_id}")
    assert all(DATE.fullmatch(entry["at"]) for entry in entries)
    assert len({entry["notification_id"] for entry in entries}) == len(entries)
    return [(entry["kind"], entry.get("author_id"), entry.get("cheep_id")) for entry in entries]


async def test_who_signs_up_is_welcomed(client):
    """The first notification says welcome, and names no other author."""
    bob = await sign_up(client)
    assert await notifications_of(client, bob, 1) == [("welcome", None, None)]


async def test_a_new_follower_is_notified_once_a_day(client):
    """A follow is notified; a second one that changes nothing is not, and neither are those after unfollows."""
    bob, alice = await sign_up(client), await sign_up(client)
    await notifications_of(client, bob, 1)
    of_alice = ("new_follower", alice.author_id, None)
    await follow(client, alice, bob)
    assert await notifications_of(client, bob, 2) == [of_alice, ("welcome", None, None)]
    await follow(client, alice, bob)
    for _ in range(3):
        await projected(client, await client.unfollow(alice.author_id, bob.author_id))
        await follow(client, alice, bob)
    charlie = await sign_up(client)
    await follow(client, charlie, bob)  # its notification comes after those of the follows before, if there were any
    of_charlie = ("new_follower", charlie.author_id, None)
    assert await notifications_of(client, bob, 3) == [of_charlie, of_alice, ("welcome", None, None)]
    assert await notifications_of(client, alice, 1) == [("welcome", None, None)]


async def test_an_answer_is_notified_and_stays(client):
    """The parent's author learns which cheep answers, and whose it is; that stays when either cheep is deleted."""
    bob, alice = await sign_up(client), await sign_up(client)
    await notifications_of(client, bob, 1)
    parent = await post(client, bob, "Parent")
    answers = []
    for number in range(2):
        reply = await projected(client, await client.answer_cheep(parent, alice.author_id, f"Answer {number}"))
        answers.append(("answer", alice.author_id, reply.data["cheep_id"]))
        assert await notifications_of(client, bob, 2 + number) == [*answers[::-1], ("welcome", None, None)]
    for cheep, author in ((answers[0][2], alice), (parent, bob)):
        await projected(client, await client.delete_cheep(cheep, author.author_id))
    assert await notifications_of(client, bob, 3) == [*answers[::-1], ("welcome", None, None)]


async def test_an_answer_to_oneself_is_not_notified(client):
    """An answer to one's own cheep is not notified, where one to another's after it is."""
    bob, alice = await sign_up(client), await sign_up(client)
    await notifications_of(client, bob, 1)
    parent = await post(client, bob, "Parent")
    await projected(client, await client.answer_cheep(parent, bob.author_id, "Mine"))
    reply = await projected(client, await client.answer_cheep(parent, alice.author_id, "Hers"))
    assert await notifications_of(client, bob, 2) == [
        ("answer", alice.author_id, reply.data["cheep_id"]),
        ("welcome", None, None),
    ]


async def test_an_unknown_author_has_no_notifications(client):
    """An unknown author's are 404."""
    expect_error(await client.notifications(new_id()), 404, "author_not_found")
