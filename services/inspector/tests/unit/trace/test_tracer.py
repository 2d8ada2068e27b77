"""Traces over a world in memory."""

import msgspec
import pytest

from cheeper_contracts.commands.follow import Follow
from cheeper_contracts.commands.notify_author_about_new_follower import NotifyAuthorAboutNewFollower
from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.cheep_updated import CheepUpdated
from cheeper_contracts.events.command_rejected import CommandRejected
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from inspector.trace.evidence import Parked

NOW = 1_795_000_000_000_000
BOB, ALICE = "a64a52cc-3ee9-4a15-918b-099e18b43119", "1fd7d739-2ad7-41a8-8c18-565603e3733f"
CHEEP = "28bc90bd-2dfb-4b71-962f-81f02b0b3149"
COMMAND = "17950000-0000-8abc-9def-0123456789ab"
OTHER = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"
POST = PostCheep(cheep_id=CHEEP, author_id=BOB, message="Hello")
POSTED = CheepPosted(cheep_id=CHEEP, author_id=BOB, author_username="bob", message="Hello", cheep_date=NOW + 10_000)
FOLLOW = Follow(follow_id=OTHER, from_author_id=ALICE, to_author_id=BOB)
FOLLOWED = AuthorFollowed(follow_id=OTHER, from_author_id=ALICE, to_author_id=BOB, followed_at=NOW)
SIGNED = NewAuthorSigned(author_id=BOB, username="bob", signed_up_at=NOW)


def progress(tree):
    """Return how far each store has come with the event."""
    return {store.store: store.progress for store in tree.event.stores}


def notified(world, derived, event_id):
    """A process manager's command of a follow, with all that followed. Return its id and its event's envelope."""
    command_id = derived(event_id, NotifyAuthorAboutNewFollower.TYPE)
    command = NotifyAuthorAboutNewFollower(notification_id=OTHER, author_id=BOB, follower_id=ALICE)
    event = AuthorNotified(
        notification_id=OTHER, author_id=BOB, kind="new_follower", notified_at=NOW, from_author_id=ALICE
    )
    envelope = world.run(
        command, event, command_id, at=NOW + 10_000, reply_to=event_id, correlation_id=COMMAND, actor="system"
    )
    return command_id, envelope


def test_a_whole_command(world):
    """A command that has gone all the way is there with each part, and nothing is said to be gone."""
    envelope = world.run(POST, POSTED, COMMAND)
    world.redis.followed[BOB] = [ALICE]
    trace = world.trace(COMMAND)
    tree = trace.tree
    assert (trace.kind, trace.unavailable, tree.state, tree.changed) == ("command", {}, "handled", True)
    assert (tree.type, tree.key, tree.content["message"]) == (PostCheep.TYPE, BOB, "Hello")
    assert tree.transaction.rows[0].table == "cheeps"
    assert (tree.event.message_id, tree.event.sequence) == (envelope.message_id, 1)
    assert progress(tree) == {"redis": "applied", "mongo": "applied"}
    names = {view.name for store in tree.event.stores for view in store.views}
    assert {f"cheep:{CHEEP}", f"timeline:{ALICE}", f"cheeps:{CHEEP}", f"command:{COMMAND}"} <= names
    assert f"/author/{ALICE}/timeline" in tree.event.queries
    assert all(step.at is not None for step in tree.steps)
    assert tree.notes == ()


def test_a_tree_of_causes(world, derived):
    """A command of a process manager is a branch of its event, and every id of the tree leads to its root."""
    followed = world.run(FOLLOW, FOLLOWED, COMMAND)
    command_id, event = notified(world, derived, followed.message_id)
    for identifier in (COMMAND, command_id, followed.message_id, event.message_id):
        trace = world.trace(identifier)
        [made] = trace.tree.event.commands
        assert (trace.tree.message_id, made.message_id, made.reply_to) == (COMMAND, command_id, followed.message_id)
        assert (made.actor, made.event.message_id) == ("system", event.message_id)
    assert world.trace(event.message_id).kind == "event"


def test_a_command_of_a_process_manager_that_nobody_has_handled(world, derived):
    """A command that only the topic has is found by the event that it replies to."""
    followed = world.run(FOLLOW, FOLLOWED, COMMAND)
    command_id = derived(followed.message_id, NotifyAuthorAboutNewFollower.TYPE)
    command = NotifyAuthorAboutNewFollower(notification_id=OTHER, author_id=BOB, follower_id=ALICE)
    world.send(command, command_id, at=NOW + 10_000, reply_to=followed.message_id, correlation_id=COMMAND)
    [made] = world.trace(COMMAND).tree.event.commands
    assert (made.message_id, made.state, made.event) == (command_id, "waiting", None)


def test_a_command_that_waits(world):
    """A command that the topic has and the write model has not is waiting, with its steps so far."""
    world.accept(world.send(POST, COMMAND))
    tree = world.trace(COMMAND).tree
    assert (tree.state, tree.place.topic, tree.transaction, tree.event) == ("waiting", "cheeper.commands", None, None)
    assert [step.at is not None for step in tree.steps] == [True, True, True, False, False, False]


def test_a_parked_command(world):
    """A command that is a dead letter is parked, with the reason."""
    world.accept(world.send(POST, COMMAND))
    world.write_model.letters[BOB] = [Parked(None, "unreadable"), Parked(COMMAND, "KeyError: 'x'")]
    tree = world.trace(COMMAND).tree
    assert (tree.state, tree.message) == ("parked", "KeyError: 'x'")


def test_a_replayed_command(world):
    """A parked command that was replayed is handled, whatever is parked of its key."""
    world.accept(world.send(POST, COMMAND))
    world.write_model.letters[BOB] = [Parked(OTHER, "behind")]
    world.handle(POSTED, COMMAND)
    assert world.trace(COMMAND).tree.state == "handled"


def test_a_rejected_command(world):
    """A rejection has its code and sentence, an event, and changes no row."""
    world.send(POST, COMMAND)
    rejected = CommandRejected(command_type=POST.TYPE, command_key=BOB, code="author_not_found", message="No author")
    world.handle(rejected, COMMAND, outcome={"changed": False, "code": "author_not_found", "message": "No author"})
    tree = world.trace(COMMAND).tree
    assert (tree.state, tree.code, tree.message) == ("rejected", "author_not_found", "No author")
    assert tree.transaction.rows == ()


def test_an_event_that_the_relay_has_not_sent(world):
    """Its trace ends in the outbox, and says so."""
    world.send(POST, COMMAND)
    world.handle(POSTED, COMMAND)
    tree = world.trace(COMMAND).tree
    assert (tree.event.place, tree.event.content["message"]) == (None, "Hello")
    assert any("waits in the outbox" in note for note in tree.notes)


def test_an_event_that_a_store_has_not_applied(world):
    """A store that is behind says by how many messages, and one where it is parked says why."""
    world.run(POST, POSTED, COMMAND)
    world.redis.sequences.clear()
    event_id = world.trace(COMMAND).tree.event.message_id
    world.mongo.letters[BOB] = [Parked(event_id, "crashed")]
    redis, mongo = world.trace(COMMAND).tree.event.stores
    assert (redis.progress, redis.behind) == ("waiting", 1)
    assert (mongo.progress, mongo.error) == ("parked", "crashed")


def test_an_event_that_was_sent_again(world):
    """After the topic was wiped and filled again, the event is found at its new place, with the same sequence."""
    world.run(POST, POSTED, COMMAND)
    before = world.trace(COMMAND).tree.event
    log = world.topics.logs["events", before.place.partition]
    log.clear()
    assert any("gone from cheeper.events" in note for note in world.trace(COMMAND).tree.notes)
    world.relay(COMMAND, at=NOW + 86_400_000_000)
    after = world.trace(COMMAND).tree.event
    assert (after.message_id, after.sequence) == (before.message_id, before.sequence)
    assert after.place.at > before.place.at


def test_what_retention_has_removed_is_said_to_be_gone(world):
    """Without the outbox's row, the topic's command and the stores' records, the rest is shown."""
    world.run(POST, POSTED, COMMAND)
    world.write_model.outbox.clear()
    for name, partition in world.topics.logs:
        if name == "commands":
            world.topics.logs[name, partition].clear()
    world.redis.records.clear()
    world.mongo.records.clear()
    tree = world.trace(COMMAND).tree
    assert (tree.state, tree.event.content["message"]) == ("handled", "Hello")
    said = " ".join(tree.notes)
    assert "outbox's row of the event is gone" in said
    assert "not in cheeper.commands any more" in said
    assert "no record of the command" in said


@pytest.mark.parametrize("server", ["postgres", "kafka", "redis", "mongo"])
def test_a_server_that_is_unavailable_is_named_and_the_rest_is_shown(world, server):
    """Each server alone may be unavailable: the trace has its sentence, and what the others know."""
    world.run(POST, POSTED, COMMAND)
    trace = world.trace(COMMAND, server)
    assert trace.unavailable == {server: f"{server} cannot be reached."}
    assert (trace.kind, trace.tree.state, trace.tree.event.content["message"]) == ("command", "handled", "Hello")
    if server in {"redis", "mongo"}:
        assert progress(trace.tree)[server] == "unknown"
    assert not any("gone" in note for note in trace.tree.notes)


def test_nothing_but_sentences_if_all_servers_are_unavailable(world):
    """No server at all is no error."""
    trace = world.trace(COMMAND, "postgres", "kafka", "redis", "mongo")
    assert (trace.kind, trace.tree, len(trace.unavailable)) == ("unknown", None, 4)


def test_an_author(world):
    """An author's id and username lead to the newest events that name the author, also of other keys."""
    world.write_model.authors = {BOB: "bob", ALICE: "alice"}
    world.run(FOLLOW, FOLLOWED, COMMAND)
    trace = world.trace(ALICE)
    [mention] = trace.mentions
    assert (trace.kind, mention.type, mention.command_id) == ("author", AuthorFollowed.TYPE, COMMAND)


def test_a_cheep(world):
    """A cheep's id leads to the command that posted it, and names what edited it last."""
    world.run(POST, POSTED, COMMAND)
    edited = CheepUpdated(
        cheep_id=CHEEP,
        author_id=BOB,
        author_username="bob",
        message="Bye",
        cheep_date=POSTED.cheep_date,
        edited_at=NOW + 500_000,
    )
    world.handle(edited, OTHER, at=NOW + 500_000)
    world.relay(OTHER)
    world.write_model.cheeps[CHEEP] = (BOB, (POSTED.cheep_date, NOW + 500_000))
    trace = world.trace(CHEEP)
    assert (trace.kind, trace.tree.message_id) == ("cheep", COMMAND)
    assert [each.type for each in trace.mentions] == [CheepUpdated.TYPE, CheepPosted.TYPE]


def test_a_command_that_ran_within_its_request(world):
    """It has no place in the topic, and no address of the sign-up is shown."""
    world.handle(SIGNED, COMMAND, accepted=False)
    tree = world.trace(COMMAND).tree
    assert (tree.type, tree.place) == (SignUp.TYPE, None)
    assert any("did not go over Kafka" in note for note in tree.notes)


def test_an_address_in_the_topic_is_masked(world):
    """A sign-up that went over Kafka shows everything but the e-mail address."""
    world.send(SignUp(author_id=BOB, username="bob", email="bob@example.org"), COMMAND)
    assert world.trace(COMMAND).tree.content["email"] == "•••"
    assert world.trace(COMMAND).tree.content["username"] == "bob"


def test_an_event_of_an_unknown_type_is_shown_as_it_is(world):
    """A newer version's event has its content, and no effects that this code knows."""
    world.run(POST, POSTED, COMMAND)
    for key, log in world.topics.logs.items():
        if key[0] == "events":
            log[:] = [_renamed(message) for message in log]
    event = world.trace(COMMAND).tree.event
    assert (event.type, event.content["message"], event.queries) == ("cheeper.newer.v9", "Hello", ())


def _renamed(message):
    envelope = msgspec.structs.replace(message.envelope, type="cheeper.newer.v9")
    return msgspec.structs.replace(message, envelope=envelope)


def test_a_tree_is_bounded(world, derived, monkeypatch):
    """A tree with more commands than are shown ends, and says so."""
    monkeypatch.setattr("inspector.trace.tracer.MOST_COMMANDS", 1)
    followed = world.run(FOLLOW, FOLLOWED, COMMAND)
    notified(world, derived, followed.message_id)
    trace = world.trace(COMMAND)
    assert trace.tree.event.commands == ()
    assert any("Only the first" in note for note in trace.notes)
