from cheeper_runtime.traces import conventions as names
from cheeper_runtime.traces.testing import RecordedTracer
from projector.fan_out.tasks import FanOutTasks
from projector.fan_out.traces import TaskTraces, task_traces
from projector.stores.task_store import Refill, Slice, SliceOf

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Tasks:
    """A store of tasks of one partition, which serves what it was given."""

    name = "redis"

    def __init__(self, *served):
        self._served = list(served)

    def partitions_with_tasks(self, partitions):
        return set(partitions) if self._served else set()

    def serve(self, partition):
        del partition
        return self._served.pop(0) if self._served else None


def a_slice(*causes):
    tasks = tuple(SliceOf(sequence=1, correlation_id="c", traceparent=cause) for cause in causes)
    return Slice(author_id="a", tasks=tasks, served=7, left_out=(), waiting=1)


def served(*results):
    tracer = RecordedTracer()
    tasks = FanOutTasks(Tasks(*results), traces=TaskTraces(tracer, "redis"))
    for _ in range(len(results) + 1):
        tasks.step({3})
    return tracer


def test_each_slice_is_in_the_trace_of_its_event():
    """A task that takes several slices has a span of each, a child of the command's span."""
    spans = served(a_slice(CAUSE), a_slice(CAUSE, None)).ended()
    assert [span.name for span in spans] == ["slice", "slice"]
    assert {f"{span.parent.span_id:016x}" for span in spans} == {CAUSE[36:52]}
    assert {span.attributes[names.SLICE_SIZE] for span in spans} == {7}


def test_a_refill_and_a_task_without_a_cause_get_no_span():
    """A refill has many causes, and a task of an event that is not traced has none."""
    refill = Refill(reader_id="r", added=1, goes_on=False, left_out=(), waiting=1)
    assert served(refill, a_slice(None)).ended() == []
    assert task_traces(None, "redis") is None
