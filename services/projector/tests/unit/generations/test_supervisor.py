import threading

import pytest

from cheeper_runtime.readiness.needs import Readiness
from projector.generations.supervisor import GenerationSupervisor, every_active, only
from projector.stores.registry import ForgottenError, Registry


class FakeGenerations:
    """A registry that a test replaces while it is polled."""

    name = "fake"

    def __init__(self, registry):
        self.current = registry

    def register(self, _version):
        return self.current

    def close(self):
        """There is no connection."""


class Process:
    """A supervisor in a thread, whose generations run until they are stopped."""

    def __init__(self, registry, **options):
        self.generations, self.readiness, self.stop = FakeGenerations(registry), Readiness(), threading.Event()
        self.running, self.changed, self.result = set(), threading.Condition(), None
        self.supervisor = GenerationSupervisor(
            [self.generations],
            versions={"fake": 1},
            choose=every_active,
            start=options.pop("start", self.start),
            readiness=self.readiness,
            stop=self.stop,
            **options,
        )
        self.thread = threading.Thread(target=self.run)

    def run(self):
        self.result = self.supervisor.run()

    def start(self, _store, number, _health, stop):
        def consume():
            self.change(self.running.add, number)
            stop.wait()
            self.change(self.running.discard, number)

        return consume

    def change(self, change, number):
        with self.changed:
            change(number)
            self.changed.notify_all()

    def until(self, running):
        with self.changed:
            assert self.changed.wait_for(lambda: self.running == running, 10)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join(120)


ONE = Registry().with_first(1, 10)
BUILDING = ONE.with_new(1, 20)
TWO = BUILDING.with_active(2)


@pytest.fixture(autouse=True)
def frequent_polls(monkeypatch):
    """Poll the registries without a pause."""
    monkeypatch.setattr("projector.generations.supervisor.POLL_PERIOD", 0.0)
    monkeypatch.setattr("projector.generations.supervisor._TICK", 0.001)


def test_each_active_generation_of_this_version_is_chosen():
    """One that is being built, or of another version, is filled by another process."""
    assert every_active(TWO, "fake", 1).numbers == {1, 2}
    assert every_active(BUILDING, "fake", 1).numbers == {1}
    other = every_active(TWO, "fake", 2)
    assert (other.numbers, other.reason) == (
        frozenset(),
        "generation 1 is of version 1 and this code is version 2: run `projector rebuild --store fake`",
    )


def test_one_generation_is_chosen_by_its_number():
    """By default it is the live one."""
    assert only(None)(TWO, "fake", 1).numbers == {1}
    assert only(2)(TWO, "fake", 1).numbers == {2}
    assert only(3)(TWO, "fake", 1).reason == "there is no generation 3"


def test_a_thread_follows_its_generation():
    """It begins when the generation becomes active and ends when the generation is deleted, without a restart."""
    with Process(ONE) as process:
        process.until({1})
        process.generations.current = TWO
        process.until({1, 2})
        process.generations.current = TWO.with_deleting(2)
        process.until({1})
    assert process.result is True


@pytest.mark.parametrize(("failing", "others_go_on"), [(1, False), (2, True)])
def test_a_failure_ends_the_process_unless_no_reader_sees_the_generation(failing, others_go_on):
    """The live generation's failure ends the process; the failure of another one is shown by readiness."""

    def start(store, number, readiness, stop):
        def fail():
            process.until({3 - failing})
            raise ValueError

        return fail if number == failing else process.start(store, number, readiness, stop)

    process = Process(TWO, start=start)
    with process:
        if others_go_on:
            while not any(
                (need.reason or "").startswith("generation 2: failed") for need in process.readiness.needs().values()
            ):
                process.stop.wait(0.001)
            assert process.running == {1}
        else:
            assert process.stop.wait(120)
    assert process.result is False


def test_a_consumer_of_a_deleted_generation_ends_without_a_failure():
    """It finds out by its own next write."""

    def start(_store, _number, _health, _stop):
        def consume():
            raise ForgottenError

        return consume

    with Process(ONE, start=start, once=True) as process:
        process.thread.join(120)
    assert process.result is True
