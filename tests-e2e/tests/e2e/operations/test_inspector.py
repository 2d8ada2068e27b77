"""The inspector's trace, through the gateway, of what the whole system did."""

import pytest

from cheeper_e2e.authors import expect_error, follow, new_id, post, projected, sign_up
from cheeper_local.waiting import eventually

pytestmark = pytest.mark.local  # docker-compose.yaml leaves the inspector out


async def trace_of(client, of):
    """The trace of an id, or of a username after @."""
    reply = await client.query(f"/inspector/trace/{of}")
    assert reply.status == 200, reply.raw
    assert reply.data["unavailable"] == {}
    return reply.data


def views_of(event):
    """Return what an event's keys and documents hold now, by name without the installation's part."""
    return {view["name"].rpartition("{0}:")[2]: view["now"] for store in event["stores"] for view in store["views"]}


async def test_a_post_is_followed_from_its_request_to_its_readers(client):
    """The command, its transaction, its event and all that it wrote are in one trace, each step at its time."""
    bob, alice = await sign_up(client), await sign_up(client)
    await follow(client, alice, bob)
    reply = await projected(client, await client.post_cheep(bob.author_id, "Hello <b>all</b>"))
    trace = await trace_of(client, reply.message_id)
    tree, cheep_id = trace["tree"], reply.data["cheep_id"]
    assert (trace["kind"], tree["message_id"], tree["state"]) == ("command", reply.message_id, "handled")
    assert (tree["type"], tree["content"]["message"]) == ("cheeper.post-cheep.v1", "Hello <b>all</b>")
    assert tree["place"]["topic"] == "cheeper.commands"
    assert tree["transaction"]["relayed"] is True
    [row] = tree["transaction"]["rows"]
    assert (row["table"], row["now"]["cheep_id"], row["now"]["message"]) == ("cheeps", cheep_id, "Hello <b>all</b>")
    event = tree["event"]
    assert (event["type"], event["place"]["topic"]) == ("cheeper.cheep-posted.v1", "cheeper.events")
    assert event["sequence"] >= 1
    assert [store["progress"] for store in event["stores"]] == ["applied", "applied"]
    views = views_of(event)
    assert views[f"cheep:{cheep_id}"]["cheep_message"] == "Hello <b>all</b>"
    assert views[f"timeline:{alice.author_id}"] == {"has_it": True, "position": 0}
    assert views[f"cheeps/{cheep_id}"]["message"] == "Hello <b>all</b>"
    assert f"/cheep/{cheep_id}" in event["queries"]
    # The client's own key, which is the message id here, contains no time of a request.
    assert [step["at"] is None for step in tree["steps"]] == [True] + [False] * 5
    assert tree["notes"] == []


async def test_what_process_managers_made_is_a_branch_of_the_tree(client):
    """A follow leads to a notification, whose command and event are traced too, from each of their ids."""
    bob, alice = await sign_up(client), await sign_up(client)
    reply = await projected(client, await client.follow(alice.author_id, bob.author_id))

    async def notified():
        trace = await trace_of(client, reply.message_id)
        [*commands] = trace["tree"]["event"]["commands"]
        done = commands and commands[0]["event"] and commands[0]["event"]["stores"][1]["progress"] == "applied"
        return trace if done else None

    trace = await eventually(notified, what="the notification")
    [made] = trace["tree"]["event"]["commands"]
    assert made["type"] == "cheeper.notify-author-about-new-follower.v1"
    assert made["reply_to"] == trace["tree"]["event"]["message_id"]
    assert made["correlation_id"] == reply.message_id
    assert made["event"]["type"] == "cheeper.author-notified.v1"
    for of in (made["message_id"], made["event"]["message_id"], trace["tree"]["event"]["message_id"]):
        assert (await trace_of(client, of))["tree"]["message_id"] == reply.message_id


async def test_a_rejected_command_has_its_sentence(client):
    """A rejection is a transaction and an event too, which change no row."""
    reply = await client.post_cheep(new_id(), "Hello")

    async def rejected():
        tree = (await trace_of(client, reply.message_id))["tree"]
        return tree if tree is not None and tree["state"] == "rejected" else None

    tree = await eventually(rejected, what="the rejection")
    assert tree["code"] == "author_not_found"
    assert tree["event"]["type"] == "cheeper.command-rejected.v1"
    assert tree["transaction"]["rows"] == []


async def test_a_command_that_ran_within_its_request_shows_no_address(client):
    """A sign-up does not go over Kafka, and its e-mail address is nowhere in its trace."""
    bob = await sign_up(client)
    trace = await trace_of(client, f"@{bob.username}")
    signed = trace["mentions"][-1]
    assert (trace["kind"], signed["type"]) == ("author", "cheeper.new-author-signed.v1")
    reply = await client.query(f"/inspector/trace/{signed['command_id']}")
    tree = reply.data["tree"]
    assert (tree["type"], tree["place"]) == ("cheeper.sign-up.v1", None)
    assert any("did not go over Kafka" in note for note in tree["notes"])
    assert bob.email.encode() not in reply.raw


async def test_a_cheep_leads_to_what_posted_and_changed_it(client):
    """A cheep's id leads to the command that posted it, and names what edited and deleted it."""
    bob = await sign_up(client)
    cheep_id = await post(client, bob, "Hello")
    await projected(client, await client.update_cheep(cheep_id, bob.author_id, "Hello again"))
    await projected(client, await client.delete_cheep(cheep_id, bob.author_id))
    trace = await trace_of(client, cheep_id)
    types = ["cheeper.cheep-deleted.v1", "cheeper.cheep-updated.v1", "cheeper.cheep-posted.v1"]
    assert (trace["kind"], [each["type"] for each in trace["mentions"]]) == ("cheep", types)
    assert trace["tree"]["content"]["message"] == "Hello"
    assert views_of(trace["tree"]["event"])[f"cheep:{cheep_id}"] is None


async def test_an_authors_sides_are_equal(client):
    """Rows, keys and documents of an author show the same, and the comparison is made unless others write meanwhile."""
    bob = await sign_up(client)
    cheep_id = await post(client, bob, "Hello")
    reply = await client.query(f"/inspector/author/{bob.author_id}")
    assert (reply.status, reply.data["unavailable"]) == (200, {})
    rows, keys, documents = (reply.data[side] for side in ("rows", "keys", "documents"))
    assert (rows[0]["now"]["username"], rows[1]["now"]["cheep_id"]) == (bob.username, cheep_id)
    assert (keys[0]["now"]["cheeps"], keys[2]["now"]["cheep_message"]) == ("1", "Hello")
    assert (documents[0]["now"]["cheeps"], documents[1]["now"]["message"]) == (1, "Hello")
    assert bob.email.encode() not in reply.raw
    comparison = reply.data["comparison"]
    assert comparison["equal"] is not False, comparison
    assert (comparison["equal"] is None) == (comparison["reason"] is not None)


async def test_failed_messages_of_every_server_are_counted(client):
    """The list of failed messages reads all three servers."""
    reply = await client.query("/inspector/failed")
    assert (reply.status, reply.data["unavailable"]) == (200, {})
    assert set(reply.data["totals"]) == {"postgres", "redis", "mongo"}


async def test_an_id_of_nothing_is_said_to_be_unknown(client):
    """An id that no store or topic has is no error; a text that is no id is one."""
    trace = await trace_of(client, new_id())
    assert (trace["kind"], trace["tree"]) == ("unknown", None)
    assert trace["notes"]
    expect_error(await client.query("/inspector/trace/nothing"), 422, "invalid", "of")
