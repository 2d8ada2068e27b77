"""GET /command/{message_id}: the outcome of a command."""

import asyncio
import re

import pytest

from cheeper_contracts.catalogue import COMMANDS
from cheeper_e2e.actions.actions import EXAMPLES, Scene
from cheeper_e2e.authors import expect_accepted, expect_error, new_author, new_id, post, projected, settled, sign_up

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
ORDER = ["accepted", "handled", "projected"]
TYPES = {
    "sign-up": "cheeper.sign-up.v1",
    "profile": "cheeper.update-profile.v1",
    "email": "cheeper.change-email.v1",
    "follow": "cheeper.follow.v1",
    "unfollow": "cheeper.unfollow.v1",
    "mute": "cheeper.mute.v1",
    "unmute": "cheeper.unmute.v1",
    "block": "cheeper.block.v1",
    "unblock": "cheeper.unblock.v1",
    "post": "cheeper.post-cheep.v1",
    "update": "cheeper.update-cheep.v1",
    "delete": "cheeper.delete-cheep.v1",
    "answer": "cheeper.answer-cheep.v1",
}


async def test_a_command_that_is_done(client):
    """It is projected, with its type, that it changed something, and a date; nothing of a refusal."""
    bob = await sign_up(client)
    reply = await projected(client, await client.post_cheep(bob.author_id, "Hello"))
    status = (await client.command_status(reply.message_id)).data
    assert DATE.fullmatch(status["at"])
    assert (status["status"], status["type"], status["changed"]) == ("projected", "cheeper.post-cheep.v1", True)
    assert status.get("code") is None
    assert status.get("message") is None


async def test_a_command_that_changed_nothing(client):
    """It is projected too, and says that nothing changed."""
    bob = await sign_up(client)
    cheep = await post(client, bob, "Hello")
    reply = await projected(client, await client.post_cheep(bob.author_id, "Hello", cheep_id=cheep))
    assert (await client.command_status(reply.message_id)).data["changed"] is False


async def test_a_command_that_was_rejected_later(client):
    """It is rejected, with the code and the sentence of the refusal."""
    unknown = new_id()
    reply = await client.post_cheep(unknown, "Hello")
    expect_accepted(reply)
    status = (await settled(client, reply.message_id)).data
    assert (status["status"], status["code"]) == ("rejected", "author_not_found")
    assert status["type"] == "cheeper.post-cheep.v1"
    assert unknown in status["message"]


async def test_a_command_that_was_refused_at_once(client):
    """A refused synchronous command is rejected likewise, with the message of its response."""
    taken, other = await sign_up(client), new_author()
    reply = await client.sign_up(other.author_id, taken.username, other.email)
    sentence = expect_error(reply, 409, "username_taken")
    status = (await settled(client, reply.message_id)).data
    assert (status["status"], status["code"], status["message"]) == ("rejected", "username_taken", sentence)


@pytest.mark.parametrize("name", EXAMPLES)
async def test_each_command_has_its_type(client, name):
    """The type of each command is the one of its message, whatever became of it."""
    action = EXAMPLES[name](Scene(new_id()))
    reply = await client.command(action.method, action.path, action.body, params=action.params)
    status = (await settled(client, reply.message_id)).data
    assert status["type"] == TYPES[name]
    assert status["type"] in {command.TYPE for command in COMMANDS}


async def test_no_status_holds_an_address(client):
    """The status of a sign-up or a change of address shows no address."""
    bob, other = await sign_up(client), new_author()
    reply = await client.change_email(bob.author_id, other.email)
    status = await settled(client, reply.message_id)
    assert "@" not in status.raw.decode()


async def test_an_unknown_command(client):
    """An id that no command has is 404; so are a query's, and one that was refused at the edge."""
    bob = await sign_up(client)
    query = await client.author(bob.author_id)
    at_the_edge = await client.follow(bob.author_id, bob.author_id)
    for message_id in (new_id(), query.message_id, at_the_edge.message_id):
        expect_error(await client.command_status(message_id), 404, "command_not_found")


async def test_status_moves_forward_only(client):
    """However often one asks, from several replicas, a status never goes back from accepted, handled or projected."""
    bob = await sign_up(client)
    for number in range(5):
        reply = await client.post_cheep(bob.author_id, f"Hello {number}")
        expect_accepted(reply)
        seen = []

        async def watch(message_id, seen):
            while not seen or seen[-1] != "projected":
                status = await client.command_status(message_id)
                if status.status == 200:
                    seen.append(status.data["status"])
                else:
                    expect_error(status, 404, "command_not_found")
                    assert not seen, seen

        await asyncio.gather(watch(reply.message_id, seen))
        places = [ORDER.index(status) for status in seen]
        assert places == sorted(places), seen


async def test_after_waits_for_the_end(client):
    """With `after` the command itself the first response says projected."""
    bob = await sign_up(client)
    reply = await client.post_cheep(bob.author_id, "Hello")
    status = await client.command_status(reply.message_id, after=reply.message_id, timeout=10)
    assert (status.data["status"], status.meta.get("stale")) == ("projected", None)
