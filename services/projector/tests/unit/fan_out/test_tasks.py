import pytest

from cheeper_runtime.metrics.observations import Observations
from projector.consumer.partition import TASK_KINDS
from projector.consumer.step_limit import StepLimit
from projector.fan_out.tasks import FanOutTasks
from projector.stores.task_store import Refill, Slice


class FakeTasks:
    """Slices that wait by partition, served one by one."""

    name = "fake"

    def __init__(self, **slices):
        self.slices = {int(partition[1:]): number for partition, number in slices.items()}
        self.reads = 0
        self.served = None

    def partitions_with_tasks(self, partitions):
        self.reads += 1
        return {partition for partition in partitions if self.slices.get(partition)}

    def serve(self, partition):
        if not self.slices.get(partition):
            return None
        self.slices[partition] -= 1
        return self.served or Slice(author_id="a", tasks=(), served=1, left_out=(), waiting=self.slices[partition])


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_partitions_take_turns(clock):
    """Each step serves one slice in every partition that has a task, and reports whether more wait."""
    store = FakeTasks(p0=2, p1=1, p2=9)
    tasks = FanOutTasks(store, clock=clock)
    assert tasks.step({0, 1})
    assert store.slices == {0: 1, 1: 0, 2: 9}
    assert not tasks.step({0, 1})
    assert store.slices == {0: 0, 1: 0, 2: 9}


def test_the_store_is_not_read_between_two_polls(clock):
    """A call of the store reports what waits, so a step costs nothing while no task waits."""
    store = FakeTasks()
    tasks = FanOutTasks(store, clock=clock)
    assert [tasks.step({0}) for _ in range(3)] == [False] * 3
    assert store.reads == 1
    store.slices[0] = 1
    tasks.note(0, waiting=1)
    tasks.step({0})
    assert (store.slices, store.reads) == ({0: 0}, 1)


@pytest.mark.parametrize("why", ["time", "partition"])
def test_tasks_of_another_process_are_found_by_a_poll(clock, why):
    """After a second, and at once in a partition that has just been assigned."""
    store = FakeTasks()
    tasks = FanOutTasks(store, clock=clock)
    tasks.step({0})
    store.slices = {0: 1, 1: 1}
    clock.now += 1 if why == "time" else 0
    tasks.step({0} if why == "time" else {0, 1})
    assert store.slices[0] == 0


def test_each_step_is_timed_by_its_kind(clock):
    """A slice and a refill have a histogram each. An empty queue is no step."""
    durations = {kind: Observations((1.0,)) for kind in TASK_KINDS}
    store = FakeTasks(p0=2, p1=1)
    tasks = FanOutTasks(store, clock=clock, durations=durations)
    while tasks.step({0, 1}):
        pass
    assert {kind: each.count for kind, each in durations.items()} == {"slice": 3, "refill": 0}
    store.slices, store.served = {0: 2}, Refill(reader_id="r", added=1, goes_on=False, left_out=(), waiting=0)
    tasks.note(0, waiting=2)
    tasks.step({0})
    assert {kind: each.count for kind, each in durations.items()} == {"slice": 3, "refill": 1}
    assert durations["slice"].sum > 0


def test_a_limit_stops_between_two_slices(clock):
    """No slice more is served than was asked for."""
    store = FakeTasks(p0=3, p1=3)
    tasks = FanOutTasks(store, StepLimit(3), clock=clock)
    assert [tasks.step({0, 1}) for _ in range(3)] == [True, False, False]
    assert sum(store.slices.values()) == 3
