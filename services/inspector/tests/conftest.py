"""The trail and the tools in memory."""

import asyncio
from collections import defaultdict

import msgspec
import pytest

from cheeper_audit.stores import StoreUnavailableError
from inspector.operations.entries import BusyError, Entry, KeyTakenError
from inspector.operations.requests import UNKNOWN
from inspector.operations.runner import Operations


class MemoryTurn:
    def __init__(self, trail):
        self._trail = trail

    async def release(self):
        self._trail.taken = False
        self._trail.free.set()


class MemoryTrail:
    """A trail that may be unavailable; its times are numbers that grow."""

    def __init__(self):
        self.entries, self.taken, self.available = {}, False, True
        self.free, self.ended = asyncio.Event(), defaultdict(asyncio.Event)

    def _check(self):
        if not self.available:
            raise StoreUnavailableError("The trail cannot be reached.")

    async def turn(self):
        self._check()
        if self.taken:
            raise BusyError
        self.taken = True
        self.free.clear()
        for entry in list(self.entries.values()):
            await self.end(entry.action_id, UNKNOWN, ())
        return MemoryTurn(self)

    async def begin(self, entry):
        self._check()
        if entry.action_id in self.entries:
            raise KeyTakenError
        number = len(self.entries) + 1
        begun = Entry(**msgspec.structs.asdict(entry), number=number, began_at=number)
        self.entries[entry.action_id] = begun
        return begun

    async def end(self, action_id, outcome, lines):
        self._check()
        entry = self.entries[action_id]
        if entry.outcome is None:
            ended = {"outcome": outcome, "lines": lines, "ended_at": entry.began_at + 1}
            self.entries[action_id] = msgspec.structs.replace(entry, **ended)
            self.ended[action_id].set()

    async def one(self, action_id):
        self._check()
        return self.entries.get(action_id)

    async def before(self, number, most):
        self._check()
        newest = sorted(self.entries.values(), key=lambda entry: -entry.number)
        return tuple([entry for entry in newest if number is None or entry.number < number][:most])


class FakeTools:
    """Tools that print these lines, wait until they may end, and end with that exit code."""

    def __init__(self):
        self.ran, self.lines, self.exit_code = [], ["done"], 0
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self.may_end.set()
        self.stopped = False
        self.error = None

    async def __call__(self, command, on_line):
        self.ran.append(command)
        self.began.set()
        if self.error is not None:
            raise self.error
        for line in self.lines:
            on_line(line)
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise
        return self.exit_code


@pytest.fixture
def trail():
    return MemoryTrail()


@pytest.fixture
def tools():
    return FakeTools()


@pytest.fixture
def operations(trail, tools):
    return Operations(trail, tools)


@pytest.fixture
def ended(trail):
    """Waits until an action has ended and the next one may begin, and returns its entry."""

    async def wait(operations, action_id):
        await trail.ended[action_id].wait()
        await trail.free.wait()
        return await operations.one(action_id)

    return wait
