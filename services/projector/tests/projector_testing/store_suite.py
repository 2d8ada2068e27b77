"""The rules of a store: a batch and its checkpoint land together, once, in order, or not at all.

A test module imports all of this and defines fixtures: `store`, `other` (the same store as another process sees it),
`followers` (reads an author's counts of followers, following and cheeps) and `bad_write` (makes a write for an author
that cannot be done).
"""

import msgspec
import pytest

from projector.stores.base import Batch, Checkpoint, GapError, Item, UnappliableError


@pytest.fixture
def bob_story(story, author):
    """Bob signs up, is followed by two, and posts: four messages of one partition."""
    bob = author()
    published = [story.signed(bob), story.followed(author(), bob), story.followed(author(), bob), story.posted(bob)]
    return bob, published[0].partition, [one.message for one in published]


def test_views_and_checkpoint_move_together(store, bob_story, followers, helpers):
    """After a batch the views show all of it and the checkpoint names its last message."""
    bob, partition, messages = bob_story
    applied = helpers.apply_all(store, partition, messages)
    assert followers(bob) == (2, 0, 1)
    assert applied.checkpoint == Checkpoint(sequence=4, topic_id="topic", offset=3)
    assert store.checkpoints([partition]) == {partition: applied.checkpoint}


def test_a_store_without_a_checkpoint_is_at_its_beginning(store):
    """Its sequence is 0."""
    assert store.checkpoints([0, 7]) == {0: Checkpoint(), 7: Checkpoint()}


def test_duplicates_change_nothing(store, bob_story, followers, helpers):
    """The same messages again, all or some of them, leave the same views."""
    bob, partition, messages = bob_story
    helpers.apply_all(store, partition, messages[:3])
    again = helpers.apply_all(store, partition, messages)
    helpers.apply_all(store, partition, messages[1:3])
    assert followers(bob) == (2, 0, 1)
    assert again.checkpoint.sequence == 4


def test_a_gap_is_refused(store, bob_story, followers, helpers):
    """With a message missing before the batch, or inside it, nothing moves."""
    bob, partition, messages = bob_story
    helpers.apply_all(store, partition, messages[:1])
    before = store.checkpoints([partition])
    for gap in (messages[2:], [messages[1], messages[3]]):
        with pytest.raises(GapError):
            helpers.apply_all(store, partition, gap)
    assert followers(bob) == (0, 0, 0)
    assert store.checkpoints([partition]) == before


def test_a_refilled_topic_gives_the_checkpoint_its_new_place(store, bob_story, followers, helpers):
    """The same messages in another topic are duplicates, and the store knows where it is in that topic."""
    bob, partition, messages = bob_story
    helpers.apply_all(store, partition, messages)
    moved = helpers.apply_all(store, partition, messages, topic_id="another")
    assert moved.checkpoint == Checkpoint(sequence=4, topic_id="another", offset=3)
    assert followers(bob) == (2, 0, 1)


def test_partitions_have_checkpoints_of_their_own(store, story, author, helpers):
    """A batch of one partition moves no other partition."""
    helpers.apply_all(store, 1, [story.signed(author(), partition=1).message])
    assert store.checkpoints([1, 2])[2] == Checkpoint()


def poisoned(items, index):
    return tuple(Item(message=item.message, poison="broken") if at == index else item for at, item in enumerate(items))


def test_poison_parks_its_key_and_nothing_else(store, story, author, followers, helpers):
    """The poisoned message and later ones of its key wait in order; other keys of the partition flow."""
    bob, carol, reader = author(), author(), author()
    messages = [
        story.followed(reader, bob, partition=0).message,
        story.followed(author(), bob, partition=0).message,
        story.followed(reader, carol, partition=0).message,
        story.posted(bob, partition=0).message,
    ]
    items = poisoned(helpers.items_of(store, messages), 0)
    applied = helpers.apply(store, Batch(partition=0, topic_id="topic", items=items[:3]))
    assert [(message.sequence, message.behind) for message in applied.parked] == [(1, False), (2, True)]
    assert applied.used == 3
    assert followers(bob) == (0, 0, 0)
    assert followers(carol) == (1, 0, 0)

    later = helpers.apply(store, Batch(partition=0, topic_id="topic", items=items[3:]))
    assert [message.behind for message in later.parked] == [True]
    assert later.checkpoint.sequence == 4
    assert store.status().parked == 3


def test_duplicates_of_poison_are_parked_once(store, story, author, helpers):
    """The store holds each parked message once, no matter how often it is redelivered."""
    bob = author()
    messages = [story.followed(author(), bob, partition=0).message for _ in range(2)]
    items = poisoned(helpers.items_of(store, messages), 0)
    for again in (items, items, items[1:]):
        helpers.apply(store, Batch(partition=0, topic_id="topic", items=again))
    assert store.status().parked == 2


def test_a_batch_whose_response_was_lost_has_the_same_outcome(store, story, author, helpers):
    """Applied again it is all duplicates, and each parked message still has its own reason."""
    bob = author()
    messages = [story.followed(author(), bob, partition=0).message for _ in range(3)]
    batch = Batch(partition=0, topic_id="topic", items=poisoned(helpers.items_of(store, messages), 1))
    first, again = helpers.apply(store, batch), helpers.apply(store, batch)
    assert again == first
    assert [(message.sequence, message.behind, message.reason) for message in again.parked] == [
        (2, False, "broken"),
        (3, True, "waits behind poison of its key"),
    ]


def test_another_process_knows_what_is_parked(store, story, author, followers, helpers, other):
    """The set of parked keys is read from the store, not remembered by the process that parked."""
    bob = author()
    messages = [story.followed(author(), bob).message for _ in range(2)]
    partition = messages[0].partition()
    helpers.apply(
        store, Batch(partition=partition, topic_id="topic", items=poisoned(helpers.items_of(store, messages[:1]), 0))
    )
    applied = helpers.apply_all(other, partition, messages[1:])
    assert [message.behind for message in applied.parked] == [True]
    assert followers(bob) == (0, 0, 0)


def test_poison_in_a_row_is_counted_in_the_checkpoint(store, story, author, helpers):
    """The count in a row survives a restart; an applied message ends it."""
    messages = [story.signed(author(), partition=0).message for _ in range(3)]
    items = helpers.items_of(store, messages)
    for place, expected in ((0, 1), (1, 2)):
        applied = helpers.apply(
            store, Batch(partition=0, topic_id="topic", items=poisoned(items[place : place + 1], 0))
        )
        assert applied.checkpoint.poison == expected
    assert helpers.apply(store, Batch(partition=0, topic_id="topic", items=items[2:])).checkpoint.poison == 0


def test_a_message_without_a_sequence_is_parked_once(store, story, author, helpers):
    """It is known by its offset, to which the checkpoint moves while its sequence stays."""
    published = story.signed(author())
    stray = helpers.FakeMessage(partition=published.partition, offset=1, key=b"stray", headers=[], value=b"?")
    helpers.apply_all(store, published.partition, [published.message])
    for _ in range(2):
        applied = helpers.apply_all(store, published.partition, [stray])
        assert applied.checkpoint == Checkpoint(sequence=1, topic_id="topic", offset=1, poison=1)
    assert store.status().parked == 1


def test_an_unknown_type_moves_the_checkpoint_alone(store, story, author, followers, helpers):
    """It changes no view and is not parked."""
    bob = author()
    published = story.followed(author(), bob)
    item = Item(message=helpers.items_of(store, [published.message])[0].message)
    applied = helpers.apply(store, Batch(partition=published.partition, topic_id="topic", items=(item,)))
    assert (applied.checkpoint.sequence, applied.parked) == (1, ())
    assert followers(bob) == (0, 0, 0)


def test_a_write_that_cannot_be_done_moves_nothing(store, story, author, followers, helpers, bad_write):
    """One bad write in a batch, and neither the others nor the checkpoint are there."""
    bob = author()
    messages = [story.followed(author(), bob).message for _ in range(2)]
    partition = messages[0].partition()
    items = helpers.items_of(store, messages)
    broken = (items[0], msgspec.structs.replace(items[1], writes=(*items[1].writes, bad_write(bob))))
    with pytest.raises(UnappliableError):
        helpers.apply(store, Batch(partition=partition, topic_id="topic", items=broken))
    assert followers(bob) == (0, 0, 0)
    assert store.checkpoints([partition]) == {partition: Checkpoint()}


def test_two_projectors_apply_a_batch_once(store, bob_story, followers, helpers, other):
    """The slower one of two with the same batch finds duplicates."""
    bob, partition, messages = bob_story
    for start in range(len(messages)):
        helpers.apply_all(store, partition, messages[start : start + 1])
        helpers.apply_all(other, partition, messages[: start + 1])
    assert followers(bob) == (2, 0, 1)


def batches_of(store, story, helpers):
    """Return a batch of each partition of the story."""
    return [
        Batch(partition=partition, topic_id="topic", items=helpers.items_of(store, messages))
        for partition, messages in sorted(story.messages.items())
    ]


@pytest.fixture
def followed_in_three(story, author):
    """Return authors whose partitions are 1, 2 and 5; one and the same reader follows each of them."""
    reader, authors = author(), {partition: author() for partition in (1, 2, 5)}
    for partition, one in authors.items():
        story.followed(reader, one, partition=partition)
        story.followed(author(), one, partition=partition)
    return reader, authors


def test_batches_of_several_partitions_are_applied_together(store, story, followers, helpers, followed_in_three):
    """Each has its own outcome and its own checkpoint, and what they count of one author adds up."""
    reader, authors = followed_in_three
    outcomes = store.apply(batches_of(store, story, helpers))
    assert [outcome.checkpoint.sequence for outcome in outcomes] == [2, 2, 2]
    assert [followers(one) for one in authors.values()] == [(2, 0, 0)] * 3
    assert followers(reader) == (0, 3, 0)
    assert {number: each.sequence for number, each in store.checkpoints([1, 2, 3, 5]).items()} == {
        1: 2,
        2: 2,
        3: 0,
        5: 2,
    }


def test_a_gap_in_one_partition_stops_no_other(store, story, followers, helpers, followed_in_three):
    """Its batch alone is refused."""
    _, authors = followed_in_three
    first, second, third = batches_of(store, story, helpers)
    outcomes = store.apply([first, msgspec.structs.replace(second, items=second.items[1:]), third])
    assert isinstance(outcomes[1], GapError)
    assert [followers(one)[0] for one in authors.values()] == [2, 0, 2]
    assert store.checkpoints([2]) == {2: Checkpoint()}


def test_what_cannot_be_applied_in_one_partition_stops_no_other(
    store, story, followers, helpers, followed_in_three, bad_write
):
    """The others are applied once, whether the store notices it before or after it has written them."""
    reader, authors = followed_in_three
    batches = batches_of(store, story, helpers)
    bad = msgspec.structs.replace(batches[1].items[1], writes=(bad_write(authors[2]),))
    batches[1] = msgspec.structs.replace(batches[1], items=(batches[1].items[0], bad))
    outcomes = store.apply(batches)
    assert isinstance(outcomes[1], UnappliableError)
    assert [followers(one)[0] for one in authors.values()] == [2, 0, 2]
    assert followers(reader) == (0, 2, 0)
    assert [each.sequence for each in store.checkpoints([1, 2, 5]).values()] == [2, 0, 2]


def test_poison_in_one_partition_parks_nothing_of_another(store, story, followers, helpers, followed_in_three):
    """Not even a message that is new to the process and whose key is parked in the other one."""
    _, authors = followed_in_three
    first, second, third = batches_of(store, story, helpers)
    outcomes = store.apply([first, msgspec.structs.replace(second, items=poisoned(second.items, 0)), third])
    assert [[message.behind for message in outcome.parked] for outcome in outcomes] == [[], [False, True], []]
    assert [followers(one)[0] for one in authors.values()] == [2, 0, 2]
    again = store.apply([first, msgspec.structs.replace(second, items=poisoned(second.items, 0)), third])
    assert again == outcomes


def test_two_projectors_with_parts_of_the_same_partitions_apply_all_once(
    store, story, followers, helpers, other, followed_in_three
):
    """The messages that the other one has applied are duplicates here, and no other message is."""
    reader, authors = followed_in_three
    first, second, third = batches_of(store, story, helpers)
    other.apply([first, msgspec.structs.replace(second, items=second.items[:1])])
    outcomes = store.apply([first, second, third])
    assert [outcome.checkpoint.sequence for outcome in outcomes] == [2, 2, 2]
    assert [followers(one)[0] for one in authors.values()] == [2, 2, 2]
    assert followers(reader) == (0, 3, 0)
