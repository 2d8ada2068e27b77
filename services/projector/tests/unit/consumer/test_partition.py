"""The partition: which messages it selects, where it searches for a missing one, and its lag."""

from types import SimpleNamespace
from uuid import uuid4

import pytest

from cheeper_contracts.views.lag import Lag
from cheeper_runtime.metrics.page import Declaration, Families
from projector.consumer.partition import Counts, Partition, Search
from projector.kafka.log_end import LogEndHistory
from projector.stores.base import Applied, Checkpoint, Item, UnappliableError

TOPIC, START = "topic", 1_000.0


def message(sequence, committed=START, command=None):
    """Return a message whose offset is its sequence less one. `command` is the id of what caused it."""
    envelope = SimpleNamespace(time=int(committed * 1_000_000), reply_to=command, traceparent=None)
    offset = 99 if sequence is None else sequence - 1
    return SimpleNamespace(sequence=sequence, offset=offset, envelope=envelope, event=object(), key="key")


def messages(*sequences):
    return [message(sequence) for sequence in sequences]


def sequences(found):
    return [each.sequence for each in found]


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ends(clock):
    return LogEndHistory(clock)


@pytest.fixture
def partition(clock):
    """Return a partition that was started at sequence 5."""
    made = Partition(0, Counts(), clock)
    made.start(Checkpoint(sequence=5, topic_id=TOPIC, offset=4), TOPIC)
    return made


def begin(partition, *found):
    """Read messages and put those that are new in flight."""
    partition.begin([_item(each) for each in partition.select(found)])


def _item(each):
    return Item(message=each)


def apply(partition, *found):
    """Read messages, apply all of them that are new, and end the poll."""
    begin(partition, *found)
    if partition.in_flight:
        last = partition.in_flight[-1]
        checkpoint = Checkpoint(sequence=last.sequence, topic_id=TOPIC, offset=last.offset)
        partition.acknowledge(Applied(used=len(partition.in_flight), checkpoint=checkpoint))
    return partition.end(found[-1].offset)


def test_duplicates_are_not_selected(partition):
    """A message that the store has is counted as a duplicate and not handed to it again."""
    counts = Counts()
    partition = Partition(0, counts)
    partition.start(Checkpoint(sequence=5, topic_id=TOPIC, offset=4), TOPIC)
    assert sequences(partition.select(messages(3, 4, 5, 6, 6, 7))) == [6, 7]
    assert counts.duplicates == 4


def test_nothing_after_a_gap_is_selected(partition):
    """Order within a key matters more than progress."""
    assert sequences(partition.select(messages(6, 8, 7))) == [6]
    assert partition.end(6)


def test_a_message_without_a_sequence_is_selected_by_its_offset(partition):
    """The store decides about it by its offset."""
    assert sequences(partition.select(messages(None, 6))) == [None, 6]


def test_a_missing_message_is_sought_from_the_checkpoint_then_from_the_beginning_then_awaited(partition):
    """Each search reads more than the one before, and after the last one the consumer only reads on."""
    stored = partition.checkpoint
    assert partition.missing is None
    assert apply(partition, message(8))
    assert partition.missing == 6
    assert partition.start(stored, TOPIC) == 5
    assert apply(partition, message(8))
    assert partition.start(stored, TOPIC) is None
    assert not apply(partition, message(8))
    assert partition.missing == 6


def test_a_gap_that_the_store_reports_starts_the_search_too(partition):
    """The store knows better than the consumer where its checkpoint is."""
    begin(partition, message(6))
    partition.miss()
    assert partition.end(5)
    assert partition.search is Search.FROM_CHECKPOINT


def test_the_search_of_the_whole_log_skips_what_comes_too_early(partition):
    """In a log that was filled again the missing message may follow later ones."""
    for _ in range(2):
        assert apply(partition, message(8))
    assert sequences(partition.select(messages(8, 9, 6, 7, 8))) == [6, 7, 8]


def test_progress_ends_the_search(partition):
    """A later gap is sought from the checkpoint again."""
    apply(partition, message(8))
    apply(partition, message(6))
    assert partition.search is Search.NONE
    apply(partition, message(9))
    assert partition.search is Search.FROM_CHECKPOINT


def test_the_last_message_is_relocated_in_another_topic(partition):
    """The checkpoint gets its offset in a log that was filled again, so the group's lag is right at rest."""
    assert sequences(partition.relocated(messages(4, 5, 6, 5), "another")) == [5]
    assert partition.relocated(messages(4, 5, 6), TOPIC) == []
    assert partition.relocated(messages(4, 6), "another") == []


def test_another_topic_is_read_from_its_beginning(partition):
    """An offset means nothing in a topic of another id."""
    assert partition.start(partition.checkpoint, "another") is None


def test_the_rest_of_a_batch_stays_in_flight(partition):
    """The store may take only a part of a batch; duplicates among it are not reported as new."""
    partition.begin([_item(each) for each in messages(5, 6, 7, 8)])
    new, parked, last_offset = partition.acknowledge(
        Applied(used=3, checkpoint=Checkpoint(sequence=7, topic_id=TOPIC, offset=6))
    )
    assert (sequences(new), parked, last_offset) == ([6, 7], {}, 6)
    assert sequences(partition.in_flight) == [8]


def test_a_message_that_the_store_refuses_becomes_poison(partition):
    """It stays in flight, so that the store parks it."""
    partition.begin([_item(each) for each in messages(6, 7)])
    partition.refuse(UnappliableError(1, "no hash"))
    assert [item.poison for item in partition.in_flight] == [None, "no hash"]


def test_the_time_to_visible_is_that_of_new_events_alone(clock):
    """It counts from an event's transaction to its acknowledgement. Duplicates, parked and unknown ones have none."""
    counts = Counts()
    partition = Partition(0, counts, clock)
    partition.start(Checkpoint(sequence=1, topic_id=TOPIC, offset=0), TOPIC)
    duplicate, applied, ahead, unknown, poison = (message(number, START - 3) for number in (1, 2, 3, 4, 5))
    ahead.envelope.time, unknown.event = int((START + 60) * 1_000_000), None
    partition.begin([_item(each) for each in (duplicate, applied, ahead, unknown, poison)])
    partition.acknowledge(
        Applied(
            used=5,
            checkpoint=Checkpoint(sequence=5, topic_id=TOPIC, offset=4),
            parked=(SimpleNamespace(offset=4, sequence=5),),
        )
    )
    assert (counts.visible.count, counts.visible.sum) == (2, 3.0)


def test_the_time_from_the_request_is_in_the_gateway_s_ids(clock):
    """It counts for commands with an id of the gateway's. Ids that a client chose, and times that cannot be, do not."""
    counts = Counts()
    partition = Partition(0, counts, clock)
    partition.start(Checkpoint(sequence=0, topic_id=TOPIC, offset=-1), TOPIC)
    commands = [from_gateway(START - 2.5), from_gateway(START + 1), from_gateway(START - 4000), str(uuid4()), None]
    partition.begin([_item(message(number, START - 1, each)) for number, each in enumerate(commands, 1)])
    partition.acknowledge(Applied(used=5, checkpoint=Checkpoint(sequence=5, topic_id=TOPIC, offset=4)))
    assert (counts.requested.count, counts.requested.sum) == (1, 2.5)
    assert (counts.visible.count, counts.visible.sum) == (5, 5.0)


def test_an_event_of_a_recorded_trace_is_an_exemplar(clock):
    """Its trace id is beside the time that it took to be visible. A trace that is not recorded leads nowhere."""
    counts, seconds = Counts(), Declaration("seconds", "", histogram=True)
    partition = Partition(0, counts, clock)
    partition.start(Checkpoint(sequence=0, topic_id=TOPIC, offset=-1), TOPIC)
    recorded, dropped, untraced = (message(number) for number in (1, 2, 3))
    recorded.envelope.traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    dropped.envelope.traceparent = f"00-{'c' * 32}-{'d' * 16}-00"
    partition.begin([_item(each) for each in (recorded, dropped, untraced)])
    partition.acknowledge(Applied(used=3, checkpoint=Checkpoint(sequence=3, topic_id=TOPIC, offset=2)))
    families = Families((seconds,))
    counts.visible.add_to(families, seconds)
    (family,) = families
    exemplars = [sample.exemplar.labels for sample in family.samples if sample.exemplar]
    assert exemplars == [{"trace_id": "a" * 32}]


def from_gateway(seconds):
    """Return the message id of a request that the gateway received then."""
    tens = f"{int(seconds * 100):012d}"
    return f"{tens[:8]}-{tens[8:]}-8{str(uuid4())[15:]}"


def test_messages_are_counted_by_their_outcome(partition):
    """Applied, of an unknown type, or parked."""
    counts = Counts()
    partition = Partition(0, counts)
    applied, unknown, poison = messages(1, 2, 3)
    unknown.event = None
    partition.begin([_item(each) for each in (applied, unknown, poison)])
    parked = SimpleNamespace(sequence=3, offset=2)
    partition.acknowledge(
        Applied(used=3, checkpoint=Checkpoint(sequence=3, topic_id=TOPIC, offset=2), parked=(parked,))
    )
    assert (counts.applied, counts.unknown, counts.parked) == (1, 1, 1)


def test_at_the_log_end_there_is_no_lag(partition, ends, clock):
    """However long ago the last message was."""
    ends.record({0: 5})
    clock.now += 900
    assert partition.lag(ends) == Lag(0, 0.0)


def test_lag_grows_while_nothing_is_read(partition, ends, clock):
    """It counts from when the first message that is missing was seen in the log, not the last."""
    for end, seconds in ((5, 1), (7, 20), (10, 5)):
        ends.record({0: end})
        clock.now += seconds
    assert partition.lag(ends) == Lag(5, 25.0)
    apply(partition, *messages(6, 7))
    assert partition.lag(ends) == Lag(3, 5.0)
    apply(partition, *messages(8, 9, 10))
    assert partition.lag(ends) == Lag(0, 0.0)


def test_the_age_of_a_message_in_flight_is_its_own(partition, ends, clock):
    """It was committed before it was seen, and an unavailable store does not take it."""
    ends.record({0: 5})
    clock.now += 1
    ends.record({0: 6})
    begin(partition, message(6, START - 50))
    clock.now += 9
    assert partition.lag(ends) == Lag(1, 60.0)


def test_a_relocated_message_is_no_lag(partition, ends):
    """The store has it already."""
    ends.record({0: 5})
    partition.begin([_item(message(5, START - 50))])
    assert partition.lag(ends) == Lag(0, 0.0)


def test_a_backlog_that_was_there_before_us_is_as_old_as_what_was_applied_last(partition, ends, clock):
    """The first record does not show since when; what was applied a moment ago was committed just before."""
    ends.record({0: 901})
    clock.now += 2
    assert partition.lag(ends) == Lag(896, 2.0)
    apply(partition, message(6, START - 500))
    assert partition.lag(ends) == Lag(895, 502.0)


def test_duplicates_in_the_log_are_no_lag(partition, ends):
    """Duplicates that were read are done, although the checkpoint does not move."""
    ends.record({0: 7})
    again = messages(4, 5)
    again[-1].offset = 6
    apply(partition, *again)
    assert partition.lag(ends) == Lag(0, 0.0)


def test_behind_a_gap_lag_grows(partition, ends, clock):
    """Messages that were read after a gap are not done."""
    ends.record({0: 5})
    clock.now += 1
    ends.record({0: 8})
    apply(partition, message(8))
    clock.now += 30
    assert partition.lag(ends) == Lag(3, 30.0)


def test_another_log_has_no_history(partition, ends, clock):
    """Log ends that decrease are those of a topic that was made anew."""
    ends.record({0: 40})
    clock.now += 60
    ends.record({0: 2})
    assert ends.since(0, 1) == (clock.now, True)
    partition.start(partition.checkpoint, "another")
    assert partition.lag(ends).messages == 2


@pytest.mark.parametrize("known", ["the checkpoint", "the log end", "neither"])
def test_without_the_checkpoint_and_the_log_end_lag_grows_from_the_assignment(partition, ends, clock, known):
    """The number of messages is unknown then, which is not the same as 0."""
    if known != "the checkpoint":
        partition = Partition(0, clock=clock)
    if known == "the log end":
        ends.record({0: 9})
    clock.now += 12
    assert partition.lag(ends) == Lag(None, 12.0)
