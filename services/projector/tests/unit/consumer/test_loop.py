"""The consumer loop over a fake log and a fake store: each message is applied once, in order, or parked."""

from threading import Event as Flag

import pytest
from projector_testing.kafka import FakeAssignment, FakeDeadLetters, FakeTopic
from projector_testing.store import FakeStore

from cheeper_contracts import views
from cheeper_runtime.dead_letters.poison_limit import TooMuchPoisonError
from cheeper_runtime.readiness.needs import Readiness, is_ready
from projector import projections
from projector.consumer.loop import Consumer
from projector.consumer.progress import Progress
from projector.consumer.step_limit import StepLimit

pytestmark = pytest.mark.proves(guarantee="exactly-once")
POISON = pytest.mark.proves(guarantee="poison")


class World:
    """A topic and a store. `run` consumes until the consumer is idle and all actions are done."""

    def __init__(self):
        self.topic, self.store, self.dead_letters = FakeTopic(), FakeStore(), FakeDeadLetters()
        self.readiness = Readiness()
        self.project = projections.projection_of("mongo")
        self.unready = set()

    def run(self, *actions, limit=None, batch=500):
        stop = Flag()
        self.assignment = FakeAssignment(self.topic, stop, batch=batch)
        self.assignment.idle_actions = [self._noting(action) for action in actions]
        self.progress = Progress("mongo")
        consumer = Consumer(
            store=self.store,
            project=self.project,
            assignment=self.assignment,
            dead_letters=self.dead_letters,
            readiness=self.readiness,
            stop=stop,
            limit=StepLimit(limit),
            progress=self.progress,
        )
        consumer.run()
        assert self.assignment.closed
        assert self.store.closed
        assert self.dead_letters.closed

    def _noting(self, action):
        def noted():
            self.unready |= {need.reason for need in self.readiness.needs().values() if not need.ok}
            action()

        return noted

    def sequences(self):
        return {number: one.sequence for number, one in self.store.checkpoints(range(8)).items() if one.sequence}

    def followers(self, author):
        return self.store.documents.get((views.AUTHORS.name, author), {}).get("followers", 0)

    def parked(self):
        return [(one.sequence, one.behind) for one in self.store.parked.values()]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def bob(author):
    return author()


@pytest.fixture
def follow(story, author, bob):
    """Make messages in which somebody follows bob, all of partition 0."""
    return lambda number: [story.followed(author(), bob, partition=0).message for _ in range(number)]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_the_log_is_applied_and_the_offsets_are_stored(world, story, author, bob, follow, batch):
    """Whatever the size of the polls, all partitions end with the last message."""
    follow(5)
    story.signed(author(), partition=3)
    world.topic.send(story.all_messages())
    world.run(batch=batch)
    assert world.sequences() == story.whole()
    assert world.followers(bob) == 5
    assert world.assignment.stored_offsets == {0: 5, 3: 1}
    assert world.progress.counts.applied == 6
    assert is_ready(world.readiness.needs())


def test_a_restarted_consumer_reads_from_the_stores_checkpoint(world, bob, follow):
    """No message that the store has is read again."""
    world.topic.send(follow(3))
    world.run()
    world.topic.send(follow(2))
    world.run()
    assert world.followers(bob) == 5
    assert world.progress.counts.duplicates == 0


def test_duplicates_in_the_log_change_nothing(world, bob, follow):
    """A relay may send a message again."""
    messages = follow(4)
    world.topic.send([*messages[:3], *messages])
    world.run()
    assert (world.followers(bob), world.progress.counts.duplicates) == (4, 3)
    assert world.assignment.stored_offsets == {0: 7}


def test_a_gap_waits_until_the_log_is_complete(world, bob, follow):
    """No message after a missing one is applied, and readiness names it, until the relay has sent it again."""
    messages = follow(9)
    world.topic.send(messages[:2] + messages[4:])
    world.run(lambda: world.topic.send(messages))
    assert "sequence 3 of partition 0 is missing in the log" in world.unready
    assert world.followers(bob) == 9
    assert world.progress.partitions[0].missing is None
    assert is_ready(world.readiness.needs())


def test_a_gap_that_the_store_reports_is_sought_from_its_checkpoint(world, bob, follow):
    """A store that was restored lacks what the consumer takes for applied: it is read again."""
    world.topic.send(follow(3))

    def restore():
        world.store.restore()
        world.topic.send(follow(1))

    world.run(restore)
    assert world.followers(bob) == 4


@pytest.mark.parametrize("more", [0, 2])
def test_a_wiped_and_refilled_topic_is_read_from_its_beginning(world, bob, follow, more):
    """A known message is skipped and gives the checkpoint its new offset; a new one is applied."""
    messages = follow(3)
    world.topic.send([*messages[:1], *messages])  # a duplicate moves the offsets

    def wipe():
        world.topic.wipe()
        world.topic.send(messages + follow(more))

    world.run(wipe, lambda: world.topic.send(follow(1)))
    checkpoint = world.store.checkpoints([0])[0]
    assert world.followers(bob) == 4 + more
    assert (checkpoint.topic_id, checkpoint.offset) == ("topic 2", 3 + more)


def test_an_offset_that_the_log_does_not_have_is_read_from_the_beginning(world, bob, follow):
    """The log was cut: what is left of it is read, and a gap before it is noticed."""
    messages = follow(6)
    world.topic.send(messages[:2])
    world.run()
    world.topic.send(messages[2:])
    world.topic.expire(0, 4)
    world.run()
    assert world.followers(bob) == 2
    assert world.progress.partitions[0].missing == 3


def test_an_unavailable_store_is_retried_until_it_responds(world, bob, follow):
    """Readiness reports it, attempts are counted, and nothing is skipped or parked."""
    world.topic.send(follow(2))

    def fail():
        world.store.unavailable = True
        world.topic.send(follow(2))

    def recover():
        world.store.unavailable = False

    world.run(fail, lambda: None, recover)
    assert world.unready == {"does not answer"}
    assert (world.followers(bob), world.parked()) == (4, [])
    assert world.progress.counts.retries.total() == 2
    assert is_ready(world.readiness.needs())


def test_a_partition_that_is_revoked_in_the_middle_of_a_batch_is_left(world, follow, story, author):
    """Whoever has it now goes on with it; the other partitions go on here."""
    world.topic.send(follow(2))

    def fail():
        world.store.unavailable = True
        world.topic.send([*follow(2), story.signed(author(), partition=3).message])

    def revoke():
        world.store.unavailable = False
        world.assignment.assign([3])

    world.run(fail, revoke)
    assert world.sequences() == {0: 2, 3: 1}
    assert world.progress.partitions.keys() == {3}


def test_a_partition_that_comes_back_is_read_from_the_checkpoint(world, bob, follow):
    """A message that another process applied meanwhile is not applied again."""
    world.topic.send(follow(2))
    theirs = follow(2)

    def apply_elsewhere():
        world.assignment.assign([])
        world.topic.send(theirs)
        other = World()
        other.topic, other.store = world.topic, world.store
        other.run()

    world.run(apply_elsewhere, lambda: world.assignment.assign(range(8)))
    assert world.followers(bob) == 4
    assert world.sequences() == {0: 4}


def test_the_step_limit_stops_after_so_many_messages(world, bob, follow):
    """The next process goes on with the one that follows."""
    world.topic.send(follow(5))
    world.run(limit=2)
    assert (world.followers(bob), world.sequences()) == (2, {0: 2})
    world.run()
    assert world.followers(bob) == 5


@POISON
def test_poison_parks_its_key_and_other_keys_flow(world, story, author, bob):
    """Later messages of the key wait behind it, and each parked message is copied to the dead letters."""
    carol = author()
    story.followed(author(), bob, partition=0)
    story.add(story.followed(author(), bob, partition=1).event, partition=0, value=b"{broken")
    story.messages.pop(1)
    story.followed(author(), bob, partition=0)
    story.followed(author(), carol, partition=0)
    world.topic.send(story.all_messages())
    world.run()
    assert (world.followers(bob), world.followers(carol)) == (1, 1)
    assert world.parked() == [(2, False), (3, True)]
    assert [(store, copy.sequence) for store, copy in world.dead_letters.copies] == [("mongo", 2), ("mongo", 3)]
    assert (world.progress.counts.applied, world.progress.counts.parked) == (2, 2)


@POISON
def test_a_projection_that_raises_makes_poison(world, bob, follow):
    """A defect in a projection parks the message that it cannot project."""
    project, messages = world.project, follow(3)
    world.project = lambda event, meta: 1 / 0 if meta.sequence == 2 else project(event, meta)
    world.topic.send(messages)
    world.run()
    assert (world.followers(bob), world.parked()) == (1, [(2, False), (3, True)])


@POISON
@pytest.mark.parametrize("names_bad", [True, False])
def test_a_message_that_the_store_refuses_is_parked_alone(world, story, author, bob, names_bad):
    """A store that cannot name the message gets the batch one by one."""
    bad = story.followed(author(), author(), partition=0)
    for _ in range(2):
        story.followed(author(), bob, partition=0)
    project = world.project

    def refused(event, meta):
        if event is not None and meta.sequence == 1:
            return (projections.writes.Increment(views.AUTHORS.name, bad.event.key, {"followers.deep": 1}),)
        return project(event, meta)

    world.project, world.store.names_bad = refused, names_bad
    world.topic.send(story.all_messages())
    world.run()
    assert (world.followers(bob), world.parked()) == (2, [(1, False)])
    assert world.store.calls == ([[3], [3]] if names_bad else [[3], [1], [1], [1], [1]])


def test_a_store_that_takes_a_part_of_a_batch_gets_the_rest(world, bob, follow):
    """A call that would take too long ends early."""
    world.store.largest_batch = 2
    world.topic.send(follow(5))
    world.run()
    assert world.followers(bob) == 5
    assert world.store.calls == [[5], [3], [1]]


@pytest.fixture
def sign_ups(story, author):
    """Make sign-ups, one for each of these partitions in turn."""
    return lambda *partitions: [story.signed(author(), partition=number).message for number in partitions]


def test_the_partitions_of_a_poll_are_applied_by_one_call(world, story, sign_ups):
    """Each moves its own checkpoint and stores its own offset."""
    world.topic.send(sign_ups(0, 0, 3, 5))
    world.run()
    assert world.store.calls == [[2, 1, 1]]
    assert world.sequences() == story.whole()
    assert world.assignment.stored_offsets == {0: 2, 3: 1, 5: 1}


def test_a_store_that_takes_some_of_the_partitions_gets_the_others(world, story, sign_ups):
    """The next call has what a call has left over."""
    world.store.most_batches = 1
    world.topic.send(sign_ups(0, 0, 3, 5))
    world.run()
    assert world.store.calls == [[2, 1, 1], [1, 1], [1]]
    assert world.sequences() == story.whole()


def test_a_gap_in_one_partition_stops_no_other_of_the_poll(world, story, sign_ups):
    """The others are applied, whether the consumer or the store notices it."""
    messages = sign_ups(0, 3, 3, 5)
    world.topic.send(messages)

    def restore():
        world.store.restore()
        world.topic.send(sign_ups(0, 3, 5))

    world.run(restore)
    assert world.sequences() == story.whole()


@POISON
def test_what_is_refused_in_one_partition_stops_no_other_of_the_poll(world, story, sign_ups):
    """It is parked alone."""
    project = world.project

    def refused(event, meta):
        if meta.partition == 3 and meta.sequence == 2:
            return (projections.writes.Increment(views.AUTHORS.name, event.key, {"followers.deep": 1}),)
        return project(event, meta)

    world.project = refused
    world.topic.send(sign_ups(0, 3, 3, 3, 5))
    world.run()
    assert world.sequences() == story.whole()
    assert world.parked() == [(2, False)]
    assert (world.progress.counts.applied, world.progress.counts.parked) == (4, 1)


def test_the_step_limit_counts_over_partitions(world, story, sign_ups):
    """One step is one message, whatever the number of partitions that have some."""
    world.topic.send(sign_ups(0, 3, 5))
    world.run(limit=2)
    assert sum(world.sequences().values()) == 2
    world.run()
    assert world.sequences() == story.whole()


@POISON
def test_the_poison_limit_counts_over_partitions(world, story, author):
    """A defect that parks messages of all partitions is noticed as soon as if they came one by one."""
    for number in range(130):
        story.add(story.signed(author(), partition=1).event, partition=2 + number % 2, value=b"{broken")
        if number % 2:
            for partition in (2, 3):
                story.signed(author(), partition=partition)
    story.messages.pop(1)
    world.topic.send(story.all_messages())
    with pytest.raises(TooMuchPoisonError, match="100 messages within a minute"):
        world.run()
    assert len(world.store.parked) == 99


@POISON
@pytest.mark.parametrize("batch", [1, 500])
def test_too_much_poison_in_a_row_stops_the_consumer_again_after_a_restart(world, story, author, batch):
    """A bad deployment does not park the whole log."""
    for _ in range(30):
        story.add(story.signed(author(), partition=1).event, partition=0, value=b"{broken")
    story.messages.pop(1)
    world.topic.send(story.all_messages())
    for _ in range(2):
        with pytest.raises(TooMuchPoisonError, match=r"20 messages in a row .* mongo \(partition 0\)") as stopped:
            world.run(batch=batch)
        assert stopped.value.last_error
        assert len(world.store.parked) == 19


@POISON
def test_too_much_poison_within_a_minute_stops_the_consumer(world, story, author):
    """A defect that meets two messages in three is no better for the third one."""
    for _ in range(60):
        for _ in range(2):
            story.add(story.signed(author(), partition=1).event, partition=0, value=b"{broken")
        story.signed(author(), partition=0)
    story.messages.pop(1)
    world.topic.send(story.all_messages())
    with pytest.raises(TooMuchPoisonError, match="100 messages within a minute"):
        world.run()
    assert len(world.store.parked) == 99


@POISON
def test_a_message_without_a_sequence_is_parked_by_its_offset(world, helpers):
    """It is poison of no key, and is not parked again when the log is read again."""
    stray = helpers.FakeMessage(partition=2, offset=0, key=b"", headers=[], value=b"?")
    world.topic.send([stray, stray])
    for _ in range(2):
        world.run()
        assert [one.offset for one in world.store.parked.values()] == [0, 1]


def test_an_unknown_type_moves_the_checkpoint_alone(world, story, author, helpers):
    """An event of a newer version is skipped, not parked."""
    message = story.signed(author(), partition=0).message
    headers = [(name, b"cheeper.not-yet.v1" if name == "ce_type" else text) for name, text in message.headers()]
    unknown = helpers.FakeMessage(partition=0, offset=0, key=message.key(), headers=headers, value=b"?")
    world.topic.send([unknown])
    world.run()
    assert (world.sequences(), world.parked(), world.progress.counts.unknown) == ({0: 1}, [], 1)
    assert world.store.documents == {}
