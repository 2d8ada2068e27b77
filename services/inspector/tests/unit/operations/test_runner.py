"""Actions over a trail and tools in memory."""

import pytest

from cheeper_audit.stores import StoreUnavailableError
from inspector.operations.entries import BusyError, KeyTakenError, NewEntry
from inspector.operations.requests import Audit, Drop, Rebuild
from inspector.operations.runner import Operations

KEY, OTHER = "6f9619ff-8b86-4011-b42d-00cf4fc964ff", "6f9619ff-8b86-4011-b42d-00cf4fc96400"
REBUILD = Rebuild(reason="a test", store="redis")


async def test_an_action_is_in_the_trail_before_and_after(operations, tools, ended):
    """The entry has who, what and why from the beginning, and at last the outcome and the lines."""
    begun = await operations.start(REBUILD, "bob", KEY)
    assert (begun.caller, begun.action, begun.parameters, begun.reason) == (
        "bob",
        "rebuild",
        {"store": "redis"},
        "a test",
    )
    assert begun.outcome is None
    entry = await ended(operations, KEY)
    assert (entry.outcome, entry.lines, tools.ran) == ("succeeded", ("done",), [REBUILD.command_line])


async def test_nothing_runs_without_its_entry(operations, trail, tools):
    """While the trail is unavailable, no tool is run."""
    trail.available = False
    with pytest.raises(StoreUnavailableError):
        await operations.start(REBUILD, None, KEY)
    trail.available = True
    begin = trail.begin

    async def fail(entry):
        await begin(entry)
        raise StoreUnavailableError("The response was lost.")

    trail.begin = fail
    with pytest.raises(StoreUnavailableError):
        await operations.start(REBUILD, None, KEY)
    assert (tools.ran, trail.taken) == ([], False)


async def test_a_repeated_request_does_not_act_twice(operations, tools, ended):
    """The same request with the same key is the same action, while it runs and afterwards."""
    tools.may_end.clear()
    await operations.start(REBUILD, "bob", KEY)
    await tools.began.wait()
    again = await operations.start(REBUILD, "bob", KEY)
    assert (again.outcome, again.lines) == (None, ("done",))
    tools.may_end.set()
    await ended(operations, KEY)
    assert (await operations.start(REBUILD, "bob", KEY)).outcome == "succeeded"
    assert len(tools.ran) == 1


@pytest.mark.parametrize(
    ("request_", "caller"),
    [(REBUILD, "eve"), (Rebuild(reason="another", store="redis"), "bob"), (Audit(reason="a test"), "bob")],
)
async def test_a_key_belongs_to_one_request_of_one_caller(operations, tools, ended, request_, caller):
    """Another caller's key, or one of another request, is refused."""
    await operations.start(REBUILD, "bob", KEY)
    await ended(operations, KEY)
    with pytest.raises(KeyTakenError):
        await operations.start(request_, caller, KEY)
    assert len(tools.ran) == 1


async def test_one_action_at_a_time(operations, trail, tools, ended):
    """A second action is refused while the first one runs, also by another process, and leaves no entry."""
    tools.may_end.clear()
    await operations.start(REBUILD, "bob", KEY)
    for process in (operations, Operations(trail, tools)):
        with pytest.raises(BusyError):
            await process.start(Drop(reason="a test", id="17"), "bob", OTHER)
    assert await operations.one(OTHER) is None
    tools.may_end.set()
    await ended(operations, KEY)
    await operations.start(Drop(reason="a test", id="17"), "bob", OTHER)
    assert (await ended(operations, OTHER)).outcome == "succeeded"


async def test_an_action_whose_process_ended_is_unknown(trail, tools, ended):
    """The next action ends the entry that nobody else will end."""
    await trail.begin(NewEntry(action_id=KEY, caller=None, action="audit", parameters={}, reason="a test"))
    operations = Operations(trail, tools)
    await operations.start(REBUILD, "bob", OTHER)
    assert (await operations.one(KEY)).outcome == "unknown"
    assert (await ended(operations, OTHER)).outcome == "succeeded"


@pytest.mark.parametrize(
    ("exit_code", "error", "outcome"), [(1, None, "failed"), (0, OSError("no such file"), "failed")]
)
async def test_a_failure_is_an_outcome(operations, tools, ended, exit_code, error, outcome):
    """A tool that fails or cannot be started ends its action, and the next one may begin."""
    tools.exit_code, tools.error = exit_code, error
    await operations.start(REBUILD, "bob", KEY)
    assert (await ended(operations, KEY)).outcome == outcome
    tools.exit_code, tools.error = 0, None
    await operations.start(REBUILD, "bob", OTHER)
    assert (await ended(operations, OTHER)).outcome == "succeeded"


async def test_an_action_is_bounded(operations, tools, ended, monkeypatch):
    """An action beyond its time is stopped, and says so."""
    monkeypatch.setattr(Rebuild, "SECONDS", 0)
    tools.may_end.clear()
    await operations.start(REBUILD, "bob", KEY)
    entry = await ended(operations, KEY)
    assert (entry.outcome, tools.stopped) == ("stopped", True)
    assert entry.lines[-1] == "It was stopped after 0 s."


async def test_the_end_of_the_process_stops_the_action(operations, trail, tools):
    """The outcome of what is stopped is in the trail when the process ends, unless that is unavailable."""
    tools.may_end.clear()
    await operations.start(REBUILD, "bob", KEY)
    await tools.began.wait()
    await operations.close()
    assert (trail.entries[KEY].outcome, tools.stopped, trail.taken) == ("stopped", True, False)
    tools.began.clear()
    other = Operations(trail, tools)
    await other.start(REBUILD, "bob", OTHER)
    await tools.began.wait()
    trail.available = False
    await other.close()
    assert (trail.entries[OTHER].outcome, trail.taken) == (None, False)


async def test_the_output_is_bounded(operations, tools, ended):
    """The last hundred lines are kept, each up to 500 characters."""
    tools.lines = [*(str(number) for number in range(150)), "x" * 1_000]
    await operations.start(REBUILD, "bob", KEY)
    lines = (await ended(operations, KEY)).lines
    assert (len(lines), lines[0], lines[-1]) == (100, "51", "x" * 500)


async def test_what_is_revealed_is_in_the_trail(operations, trail):
    """The entry is there before the content is read, and its key is good for one time."""
    await operations.reveal("a test", "bob", KEY)
    entry = trail.entries[KEY]
    assert (entry.action, entry.reason, entry.outcome) == ("reveal", "a test", "succeeded")
    with pytest.raises(KeyTakenError):
        await operations.reveal("a test", "bob", KEY)
    trail.available = False
    with pytest.raises(StoreUnavailableError):
        await operations.reveal("a test", "bob", OTHER)
