"""The state of the system, put together from the states of its servers."""

from cheeper_audit.lag.snapshot import LagSnapshot, StoreLag
from cheeper_audit.stores import StoreUnavailableError
from inspector.system.state import Log, Process, Sources, system_state

WORKER = Process(name="worker", role="worker", lacks=None)


def state_of(**sources):
    known = {
        "processes": lambda: (WORKER,),
        "lag": lambda: LagSnapshot(stores={}),
        "log": lambda: Log({0: 5, 1: 7}, {0: 4}, {0: 1}),
        "worker": lambda: {0: 5, 1: 4},
    }
    return system_state(Sources(**{**known, **sources}))


def unavailable():
    raise StoreUnavailableError("It cannot be reached.")


def test_what_waits_is_behind_the_readers_place():
    """A topic has as many messages as its ends say, and those behind a reader's place wait for it."""
    commands, events = state_of().topics
    assert (commands.messages, commands.waiting) == (12, {"worker": 3})
    assert (events.messages, events.waiting) == (4, {"process-manager": 3})


def test_a_reader_that_has_handled_nothing_has_all_before_it():
    """A partition without a checkpoint waits from its beginning, and a place beyond the end is none that waits."""
    [commands, _] = state_of(worker=lambda: {1: 9}).topics
    assert commands.waiting == {"worker": 5}


def test_each_server_may_be_unavailable_alone():
    """The state has the rest of the system, and a sentence for each server that did not respond."""
    found = state_of(log=unavailable)
    assert (found.topics, found.unavailable) == ((), {"kafka": "It cannot be reached."})
    found = state_of(worker=unavailable)
    assert (found.topics[0].waiting, list(found.unavailable)) == ({}, ["postgres"])
    lag = LagSnapshot(stores={"redis": StoreLag(unavailable="Redis is gone.")}, unavailable="PostgreSQL is gone.")
    found = state_of(lag=lambda: lag)
    assert found.unavailable == {"postgres": "PostgreSQL is gone.", "redis": "Redis is gone."}
    assert found.processes == (WORKER,)
