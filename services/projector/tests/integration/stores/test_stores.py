"""One suite over both stores: a batch and its checkpoint land together, once, in order, or not at all."""

import msgspec
import pytest

from cheeper_contracts import views
from projector.projections.writes import AddMember, Increment
from projector.stores.base import Batch, Checkpoint, GapError, Item, UnappliableError

pytestmark = [pytest.mark.proves(guarantee="exactly-once"), pytest.mark.store]


@pytest.fixture
def followers(store, request):
    """Reads an author's counts of followers, following and cheeps as the store has them."""

    def of_redis(author):
        client, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
        found = client.hgetall(views.AUTHOR_COUNTERS.key(prefix, author))
        return tuple(int(found.get(name, 0)) for name in (b"followers", b"following", b"cheeps"))

    def of_mongo(author):
        found = request.getfixturevalue("mongo")[views.AUTHORS.name].find_one({"_id": author}) or {}
        return tuple(found.get(name, 0) for name in ("followers", "following", "cheeps"))

    return of_redis if store.name == "redis" else of_mongo


@pytest.fixture
def bob_story(story, author):
    """Bob signs up, is followed by two, and posts: four messages of one partition."""
    bob = author()
    told = [story.signed(bob), story.followed(author(), bob), story.followed(author(), bob), story.posted(bob)]
    return bob, told[0].partition, [one.message for one in told]


def test_views_and_checkpoint_move_together(store, bob_story, followers, tell):
    """After a batch the views show all of it and the checkpoint names its last message."""
    bob, partition, messages = bob_story
    applied = tell.apply_all(store, partition, messages)
    assert followers(bob) == (2, 0, 1)
    assert applied.checkpoint == Checkpoint(sequence=4, topic_id="topic", offset=3)
    assert store.checkpoints([partition]) == {partition: applied.checkpoint}


def test_a_store_without_a_checkpoint_is_at_its_beginning(store):
    """A partition without messages has the checkpoint with sequence 0."""
    assert store.checkpoints([0, 7]) == {0: Checkpoint(), 7: Checkpoint()}


def test_duplicates_change_nothing(store, bob_story, followers, tell):
    """The same messages again, whole or in part, leave the same views."""
    bob, partition, messages = bob_story
    tell.apply_all(store, partition, messages[:3])
    again = tell.apply_all(store, partition, messages)
    tell.apply_all(store, partition, messages[1:3])
    assert followers(bob) == (2, 0, 1)
    assert again.checkpoint.sequence == 4


def test_a_gap_is_refused(store, bob_story, followers, tell):
    """With a message missing before the batch, or inside it, nothing changes."""
    bob, partition, messages = bob_story
    tell.apply_all(store, partition, messages[:1])
    before = store.checkpoints([partition])
    for gap in (messages[2:], [messages[1], messages[3]]):
        with pytest.raises(GapError):
            tell.apply_all(store, partition, gap)
    assert followers(bob) == (0, 0, 0)
    assert store.checkpoints([partition]) == before


def test_a_refilled_topic_gives_the_checkpoint_its_new_place(store, bob_story, followers, tell):
    """The same messages in another topic are duplicates, and the store knows where it is in that topic."""
    bob, partition, messages = bob_story
    tell.apply_all(store, partition, messages)
    moved = tell.apply_all(store, partition, messages, topic_id="another")
    assert moved.checkpoint == Checkpoint(sequence=4, topic_id="another", offset=3)
    assert followers(bob) == (2, 0, 1)


def test_partitions_have_checkpoints_of_their_own(store, story, author, tell):
    """A batch of one partition changes no other checkpoint."""
    tell.apply_all(store, 1, [story.signed(author(), partition=1).message])
    assert store.checkpoints([1, 2])[2] == Checkpoint()


def poisoned(items, place):
    return tuple(Item(message=item.message, poison="broken") if at == place else item for at, item in enumerate(items))


def test_poison_parks_its_key_and_nothing_else(store, story, author, followers, tell):
    """The poisoned message and later ones of its key wait in order; other keys of the partition flow."""
    bob, carol, reader = author(), author(), author()
    messages = [
        story.followed(reader, bob, partition=0).message,
        story.followed(author(), bob, partition=0).message,
        story.followed(reader, carol, partition=0).message,
        story.posted(bob, partition=0).message,
    ]
    items = poisoned(tell.items_of(store, messages), 0)
    applied = store.apply(Batch(partition=0, topic_id="topic", items=items[:3]))
    assert [(message.sequence, message.behind) for message in applied.parked] == [(1, False), (2, True)]
    assert applied.used == 3
    assert followers(bob) == (0, 0, 0)
    assert followers(carol) == (1, 0, 0)

    later = store.apply(Batch(partition=0, topic_id="topic", items=items[3:]))
    assert [message.behind for message in later.parked] == [True]
    assert later.checkpoint.sequence == 4
    assert store.status().parked == 3


def test_duplicates_of_poison_are_parked_once(store, story, author, tell):
    """The store's queue holds each message once, however often it is redelivered."""
    bob = author()
    messages = [story.followed(author(), bob, partition=0).message for _ in range(2)]
    items = poisoned(tell.items_of(store, messages), 0)
    for again in (items, items, items[1:]):
        store.apply(Batch(partition=0, topic_id="topic", items=again))
    assert store.status().parked == 2


def test_a_batch_whose_answer_was_lost_is_told_of_alike(store, story, author, tell):
    """A retried batch is all duplicates, and each parked message keeps its reason: poison, or behind poison."""
    bob = author()
    messages = [story.followed(author(), bob, partition=0).message for _ in range(3)]
    batch = Batch(partition=0, topic_id="topic", items=poisoned(tell.items_of(store, messages), 1))
    first, again = store.apply(batch), store.apply(batch)
    assert again == first
    assert [(message.sequence, message.behind, message.reason) for message in again.parked] == [
        (2, False, "broken"),
        (3, True, "waits behind poison of its key"),
    ]


def test_another_process_knows_what_is_parked(store, story, author, followers, tell, request):
    """The set of parked keys is read from the store, not remembered by the process that parked."""
    bob = author()
    messages = [story.followed(author(), bob).message for _ in range(2)]
    partition = messages[0].partition()
    store.apply(Batch(partition=partition, topic_id="topic", items=poisoned(tell.items_of(store, messages[:1]), 0)))
    other = request.getfixturevalue("redis_store")() if store.name == "redis" else store
    applied = tell.apply_all(other, partition, messages[1:])
    assert [message.behind for message in applied.parked] == [True]
    assert followers(bob) == (0, 0, 0)


def test_poison_in_a_row_is_counted_in_the_checkpoint(store, story, author, tell):
    """The store counts poison in a row, so the limit holds across restarts; an applied message ends the row."""
    messages = [story.signed(author(), partition=0).message for _ in range(3)]
    items = tell.items_of(store, messages)
    for place, expected in ((0, 1), (1, 2)):
        applied = store.apply(Batch(partition=0, topic_id="topic", items=poisoned(items[place : place + 1], 0)))
        assert applied.checkpoint.poison == expected
    assert store.apply(Batch(partition=0, topic_id="topic", items=items[2:])).checkpoint.poison == 0


def test_a_message_without_a_sequence_is_parked_once(store, story, author, tell):
    """It is known by its offset: the checkpoint's offset moves over it, its sequence stays."""
    told = story.signed(author())
    stray = tell.FakeMessage(partition=told.partition, offset=1, key=b"stray", headers=[], value=b"?")
    tell.apply_all(store, told.partition, [told.message])
    for _ in range(2):
        applied = tell.apply_all(store, told.partition, [stray])
        assert applied.checkpoint == Checkpoint(sequence=1, topic_id="topic", offset=1, poison=1)
    assert store.status().parked == 1


def test_an_unknown_type_moves_the_checkpoint_alone(store, story, author, followers, tell):
    """It is skipped by rule: no view changes, and nothing is parked."""
    bob = author()
    told = story.followed(author(), bob)
    item = Item(message=tell.items_of(store, [told.message])[0].message)
    applied = store.apply(Batch(partition=told.partition, topic_id="topic", items=(item,)))
    assert (applied.checkpoint.sequence, applied.parked) == (1, ())
    assert followers(bob) == (0, 0, 0)


def test_a_write_that_cannot_be_done_moves_nothing(store, story, author, followers, tell):
    """One bad write in a batch, and neither the others nor the checkpoint are there."""
    bob = author()
    messages = [story.followed(author(), bob).message for _ in range(2)]
    partition = messages[0].partition()
    items = tell.items_of(store, messages)
    bad = (
        AddMember(views.FOLLOWERS.name, bob, 7, "followers")
        if store.name == "redis"
        else Increment(views.AUTHORS.name, bob, {"followers.deep": 1})
    )
    broken = (items[0], msgspec.structs.replace(items[1], writes=(*items[1].writes, bad)))
    with pytest.raises(UnappliableError):
        store.apply(Batch(partition=partition, topic_id="topic", items=broken))
    assert followers(bob) == (0, 0, 0)
    assert store.checkpoints([partition]) == {partition: Checkpoint()}


def test_two_projectors_apply_a_batch_once(store, bob_story, followers, tell, request):
    """The slower one of two with the same batch finds duplicates."""
    bob, partition, messages = bob_story
    other = request.getfixturevalue("redis_store")() if store.name == "redis" else store
    for start in range(len(messages)):
        tell.apply_all(store, partition, messages[start : start + 1])
        tell.apply_all(other, partition, messages[: start + 1])
    assert followers(bob) == (2, 0, 1)


def test_a_commands_record_comes_with_its_effects(store, story, author, tell, request):
    """The record of a command has its outcome, in each store alike."""
    told = story.signed(author())
    tell.apply_all(store, told.partition, [told.message])
    command = told.envelope.reply_to
    if store.name == "redis":
        client, prefix = request.getfixturevalue("redis"), request.getfixturevalue("redis_prefix")
        key = views.COMMAND_RECORD.key(prefix, command)
        record = msgspec.json.decode(client.get(key), type=views.CommandRecord)
        assert client.expiretime(key) == tell.now // 1_000_000 + views.COMMAND_RECORD_SECONDS
    else:
        document = request.getfixturevalue("mongo")[views.COMMANDS.name].find_one({"_id": command})
        record = msgspec.convert(document, views.CommandRecord)
        assert document["expires_at"].timestamp() == tell.now // 1_000_000 + views.COMMAND_RECORD_SECONDS
    assert (record.message_id, record.key, record.sequence) == (command, told.event.key, 1)
    assert (record.type, record.status, record.changed) == ("cheeper.sign-up.v1", "handled", True)
