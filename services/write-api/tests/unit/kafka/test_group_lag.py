"""The lag of a group by its checkpoints and the log's ends. A real broker is used in integration/http."""

import asyncio

import pytest
from confluent_kafka import KafkaError, KafkaException
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.kafka import topics
from write_api.bus.errors import UnavailableError
from write_api.kafka.group_lag import GroupLag
from write_api.kafka.topics import TopicAdmin, TopicMismatchError

NO_BROKER = KafkaException(KafkaError(KafkaError._TRANSPORT))


class FakeLog(TopicAdmin):
    """The log of a topic: for each partition its first offset and its end. `fault` is raised while it is set."""

    def __init__(self, offsets):
        super().__init__("fake", topics.COMMANDS, "")
        self.offsets, self.id, self.fault = offsets, "a", None

    def topic_id(self):
        self._check()
        return self.id

    def first_offsets(self):
        self._check()
        return {partition: first for partition, (first, _) in self.offsets.items()}

    def high_water_marks(self):
        self._check()
        return {partition: end for partition, (_, end) in self.offsets.items()}

    def _check(self):
        if self.fault is not None:
            raise self.fault


class FakeCheckpoints:
    """The checkpoints of one topic id."""

    def __init__(self, stored):
        self.stored, self.fault = stored, None

    async def __call__(self, topic_id, partitions):
        if self.fault is not None:
            raise self.fault
        return {at: offset for at, offset in self.stored.items() if topic_id == "a" and at in partitions}


class Group:
    """A group with its log, its checkpoints and the lag that was last reported."""

    def __init__(self, offsets, stored):
        self.log, self.checkpoints, self.reported = FakeLog(offsets), FakeCheckpoints(stored), []
        self.lag = GroupLag(self.log, self.checkpoints, (self.reported.append,))

    async def polled(self):
        await self.lag.poll()
        return self.reported[-1]


@pytest.fixture
def group():
    """A group that has handled 4 of 10 messages of one partition, and none of 5 of another one."""
    return Group({0: (0, 10), 1: (0, 5)}, {0: 4})


async def test_the_lag_is_what_no_checkpoint_is_behind(group):
    """A partition without a checkpoint counts in full, so a worker that never ran is behind by the whole log."""
    assert await group.polled() == 11
    group.checkpoints.stored[1] = 5
    assert await group.polled() == 6


async def test_checkpoints_of_another_topic_do_not_count(group):
    """A topic that was deleted and created again has not been read."""
    group.log.id = "b"
    assert await group.polled() == 15


@pytest.mark.parametrize("fault", [NO_BROKER, TopicMismatchError("fewer"), TimeoutError()])
async def test_without_the_broker_the_lag_is_unknown(group, fault):
    """It is known with the next poll that succeeds."""
    group.log.fault = fault
    assert await group.polled() is None
    group.log.fault = None
    assert await group.polled() == 11


async def test_without_the_database_or_the_topic_the_lag_is_unknown(group):
    """Both are reported by readiness, which is the place for it."""
    group.checkpoints.fault = UnavailableError("no database")
    assert await group.polled() is None
    group.checkpoints.fault, group.log.id = None, None
    assert await group.polled() is None


async def test_the_lag_is_unknown_once_the_watch_has_ended(group):
    """A last value that nothing corrects would refuse commands for ever."""
    first = asyncio.Event()
    group.lag = GroupLag(group.log, group.checkpoints, (group.reported.append, lambda _: first.set()))
    watching = asyncio.create_task(group.lag.watch())
    await first.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert (group.reported[0], group.reported[-1]) == (11, None)


partition = st.tuples(st.integers(0, 20), st.integers(0, 20), st.none() | st.integers(0, 50))


@given(st.lists(partition, max_size=topics.COMMANDS.partitions))
def test_the_lag_counts_the_messages_that_are_kept_and_not_handled(partitions):
    """The oracle counts offsets one by one, also with a log that retention or a restore has shortened."""
    offsets = {at: (first, first + kept) for at, (first, kept, _) in enumerate(partitions)}
    stored = {at: checkpoint for at, (_, _, checkpoint) in enumerate(partitions) if checkpoint is not None}
    waiting = sum(1 for at, (first, end) in offsets.items() for one in range(first, end) if one >= stored.get(at, 0))
    assert asyncio.run(Group(offsets, stored).polled()) == waiting
