"""Views are rebuilt, shown, taken back, shown again and the old ones forgotten, under load, and no reader notices."""

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cheeper_e2e.authors import expect_accepted, sign_up
from cheeper_e2e.http.client import Client
from cheeper_e2e.worked_example import SOURCES, Commands, copy_of, follow, steps_of
from cheeper_local.running import RunningStack

pytestmark = [pytest.mark.proves(guarantee="rebuild"), pytest.mark.local, pytest.mark.timeout(900)]

CLONE = Path(__file__).parents[4]
PAGE = CLONE / "docs" / "change-a-projection.md"
FOLLOWERS = 6
MOST_CHEEPS = 90  # a reader's page shows them all


class Seen:
    """The replies that one reader has seen, in order: those of several at a time would have none."""

    def __init__(self, wrong):
        self.wrong, self.most = wrong, {}

    def count(self, view, *numbers):
        before = self.most.setdefault(view, numbers)
        if any(now < was for now, was in zip(numbers, before, strict=True)):
            self.wrong.append(f"{view} fell from {before} to {numbers}")
        self.most[view] = numbers

    def keep(self, view, shown):
        ids = {one["cheep_id"] for one in shown}
        if lost := self.most.setdefault(view, set()) - ids:
            self.wrong.append(f"{view} lost {len(lost)} of {len(self.most[view])}")
        self.most[view] = ids


class Service:
    """A stack in use: an author who posts, followers who come, and readers of every view, who must never see less than
    they have seen.
    """

    def __init__(self, stack):
        self.stack, self.gateway = stack, stack.gateway
        self.author = self.reader = None
        self.others, self.wrong, self.read = [], [], 0
        self.over = asyncio.Event()

    async def fill(self):
        async with Client(self.gateway, patience=60) as client:
            self.author, self.reader = [(await sign_up(client)).author_id for _ in range(2)]
            self.others = [(await sign_up(client)).author_id for _ in range(FOLLOWERS)]
            expect_accepted(await client.follow(self.reader, self.author))
            for number in range(5):
                expect_accepted(await client.post_cheep(self.author, f"Before {number}"))

    async def write(self):
        async with Client(self.gateway, patience=60) as client:
            for number in range(MOST_CHEEPS - 10):
                expect_accepted(await client.post_cheep(self.author, f"Number {number}"))
                if number % 10 == 5 and self.others:
                    expect_accepted(await client.follow(self.others.pop(), self.author))
                await asyncio.wait([asyncio.ensure_future(self.over.wait())], timeout=1)
                if self.over.is_set():
                    return

    async def look(self):
        """A view of each kind in each store: counts must not fall, and what was there must stay."""
        seen = Seen(self.wrong)
        async with Client(self.gateway) as client:
            while not self.over.is_set():
                counter = await client.followers_counter(self.author)
                timeline = await client.timeline(self.reader, size=100)
                profile = await client.author(self.author)
                cheeps = await client.author_cheeps(self.author, size=100)
                replies = (counter, timeline, profile, cheeps)
                self.wrong += [f"{one.status} {one.raw[:200]} {one.curl}" for one in replies if one.status != 200]
                if self.wrong:
                    return
                seen.count("counter", *(value for value in counter.data.values() if isinstance(value, int)))
                seen.count("profile", *(profile.data[each] for each in ("followers", "cheeps")))
                seen.keep("timeline", timeline.data["cheeps"])
                seen.keep("cheeps", cheeps.data["cheeps"])
                self.read += len(replies)

    @asynccontextmanager
    async def in_use(self):
        """While readers and writers are at it; at the end nothing was wrong, and much was read."""
        self.over.clear()
        before = self.read
        tasks = [asyncio.create_task(each) for each in (self.write(), self.look(), self.look())]
        try:
            yield
        finally:
            self.over.set()
            await asyncio.gather(*tasks)
        assert self.wrong == []
        assert self.read > before + 20


async def program(service, module, *arguments, root=CLONE):
    """Run the program with the code under `root` on the stack's servers, and return what it wrote."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        env={**os.environ, **service.stack.environment, "PYTHONPATH": sources(root), "PORT": "0"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


def sources(root):
    return os.pathsep.join(str(folder) for pattern in SOURCES for folder in sorted(root.glob(pattern)))


@pytest.fixture(scope="module")
def stack():
    """A stack of these tests alone, since its views are shown from other generations afterwards."""
    with RunningStack.temporary() as running:
        yield running


@pytest.mark.takes(seconds=25)
async def test_readers_notice_nothing_of_a_rebuild(stack):
    """Redis, from the log: no error, nothing half-built and nothing taken back, from the rebuild to the forgetting."""
    service = Service(stack)
    await service.fill()
    async with service.in_use():
        await program(service, "projector", "rebuild", "--store", "redis")
        out = await program(service, "cheeper_audit", "--in-service", "--store", "redis", "--generation", "2")
        assert "redis generation 2 can be switched to." in out
        out = await program(service, "projector", "switch", "--store", "redis", "--generation", "2")
        assert out == "redis: readers are shown generation 2 from now on, instead of 1\n"
        await program(service, "projector", "rollback", "--store", "redis")
        await program(service, "projector", "switch", "--store", "redis", "--generation", "2")
        await program(service, "projector", "forget", "--store", "redis", "--generation", "1")


@pytest.mark.extended
@pytest.mark.takes(seconds=30)
async def test_the_worked_example_changes_a_projection(stack, tmp_path, monkeypatch):
    """docs/change-a-projection.md to the letter, in a copy of this tree, MongoDB, while the old code serves: the new
    field is there at the end, and readers have noticed nothing.
    """
    service = Service(stack)
    await service.fill()
    for name, value in stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORT", "0")
    copy = copy_of(CLONE, tmp_path / "cheeper")
    newer = None
    try:
        async with service.in_use():
            for step in steps_of(PAGE.read_text()):
                await asyncio.to_thread(follow, step, copy)
                if isinstance(step, Commands) and re.search(r"projector rebuild", step.lines):
                    # "Start the new projectors beside the old ones"
                    newer = await asyncio.create_subprocess_exec(
                        sys.executable,
                        "-m",
                        "projector",
                        "run",
                        env={**os.environ, "PYTHONPATH": sources(copy)},
                        stdout=asyncio.subprocess.DEVNULL,
                    )
    finally:
        if newer is not None:
            newer.terminate()
            await newer.wait()
    from pymongo import MongoClient

    with MongoClient(stack.environment["MONGO_URL"]) as client:
        document = client[f"{stack.environment['MONGO_DATABASE']}_g2"]["authors"].find_one({"_id": service.author})
    assert document["initial"] == document["username"][0].lower()
