"""Read your writes: a response that does not say stale shows the command that it was to wait for, whatever goes on.

All fan-out is by tasks here, a follower at a time, and projectors are stopped and killed meanwhile. CHEEPER_SEED draws
other stories; every failure names its seed.
"""

import asyncio
import os
import random
import signal
from contextlib import suppress
from functools import partial

import pytest

from cheeper_e2e.authors import expect_accepted, follow, new_id, post, sign_up
from cheeper_e2e.http.client import Client
from cheeper_local.running import RunningStack
from cheeper_local.waiting import eventually

SEED = int(os.environ.get("CHEEPER_SEED", "1"))
STEPS = int(os.environ.get("CHEEPER_COMMANDS", "120"))
WRITERS = 8
TASKS = {"FANOUT_INLINE_MAX": "0", "FANOUT_SLICE": "1", "READ_API_REPLICAS": "2", "PROJECTOR_REPLICAS": "2"}

pytestmark = [pytest.mark.proves(guarantee="read-your-writes"), pytest.mark.local]


@pytest.fixture(scope="module")
def stack():
    """A stack in which every fan-out is a task."""
    with RunningStack.temporary(environment=TASKS) as stack:
        yield stack


@pytest.fixture
async def client(stack):
    """A client that repeats what is unavailable."""
    async with Client(stack.gateway, patience=60) as one:
        yield one


def queries(client, reader, author, cheep, command):
    """Every query, ready to be sent with `after` and `timeout`, about people and a cheep that are there."""
    return {
        "counter": lambda **how: client.followers_counter(author.author_id, **how),
        "timeline": lambda **how: client.timeline(reader.author_id, **how),
        "author": lambda **how: client.author(author.author_id, **how),
        "author by name": lambda **how: client.author_named(author.username, **how),
        "followers": lambda **how: client.followers(author.author_id, **how),
        "following": lambda **how: client.following(reader.author_id, **how),
        "cheeps": lambda **how: client.author_cheeps(author.author_id, **how),
        "notifications": lambda **how: client.notifications(author.author_id, **how),
        "cheep": lambda **how: client.cheep(cheep, **how),
        "answers": lambda **how: client.answers(cheep, **how),
        "search": lambda **how: client.search("before", **how),
        "search of authors": lambda **how: client.search_authors(author.username, **how),
        "command": lambda **how: client.command_status(command, **how),
    }


def signal_projectors(stack, number):
    """Send a signal to every projector."""
    for process in stack.processes().values():
        if process["role"] == "projector" and process["pid"]:
            with suppress(ProcessLookupError):  # it was just killed
                os.kill(process["pid"], number)


async def is_in(query, command):
    """Return True if a query shows the effects of a command."""
    return "stale" not in (await query(after=command.message_id, timeout=10)).meta


@pytest.mark.disturbs
async def test_every_query_is_stale_while_the_projector_is_paused(patient, local_stack):
    """While projectors pause, each response `after` a command is stale, sync or async, done, done already or refused,
    and after an unknown id; none is once they go on. What was projected before is not stale meanwhile.

    Fails if one query ignores `after` (tried with that of notifications).
    """
    reader, author = await sign_up(patient), await sign_up(patient)
    await follow(patient, reader, author)
    cheep = await post(patient, author, "before")
    old = await patient.post_cheep(author.author_id, "before", cheep_id=cheep)
    everything = queries(patient, reader, author, cheep, old.message_id)
    for name, ask in everything.items():
        await eventually(partial(is_in, ask, old), what=f"{name} shows the second post")
    signal_projectors(local_stack, signal.SIGSTOP)
    try:
        commands = {
            "sync": await patient.update_profile(author.author_id, name="Somebody"),
            "async": await patient.post_cheep(author.author_id, "before"),
            "no-op": await patient.follow(reader.author_id, author.author_id),
            "refused": await patient.sign_up(new_id(), author.username, "other@example.org"),
            "rejected": await patient.post_cheep(new_id(), "by no author"),
        }
        for name, ask in everything.items():
            for kind, command in commands.items():
                reply = await ask(after=command.message_id, timeout=0)
                assert reply.meta.get("stale") is True, (name, kind, reply.raw)
            assert (await ask(after=new_id(), timeout=0)).meta.get("stale") is True, name
            assert "stale" not in (await ask(after=old.message_id)).meta, name
    finally:
        signal_projectors(local_stack, signal.SIGCONT)
    for name, ask in everything.items():
        for kind, command in commands.items():
            await eventually(partial(is_in, ask, command), what=f"{name} shows {kind}")
        assert (await ask(after=new_id(), timeout=0)).meta.get("stale") is True, name


class Writer:
    """An author who does one thing after another, and knows what must be seen of it."""

    def __init__(self, client, author, readers, seed):
        self.client, self.author, self.readers, self.draw = client, author, readers, random.Random(seed)
        self.alive, self.deleted, self.followed_by, self.number = {}, set(), set(), 0
        self.fresh = self.stale = 0

    async def step(self):
        """Do something, then look at once, wherever it must be seen."""
        actions = [self.post, self.post, self.toggle_follow, self.rename]
        actions += [self.edit, self.delete] if self.alive else []
        command, looks = await self.draw.choice(actions)()
        expect_accepted(command)
        self.draw.shuffle(looks)
        timeouts = [self.draw.choice([0, 0.05, 1, 10]) for _ in looks]
        await asyncio.gather(*map(self.look, looks, timeouts, [command] * len(looks)))

    async def look(self, look, timeout, command):  # noqa: ASYNC109 - the query's
        query, right = look
        reply = await query(after=command.message_id, timeout=timeout)
        if reply.meta.get("stale"):
            self.stale += 1
            return
        self.fresh += 1
        assert right(reply), f"seed {SEED}: {command.curl}\n{reply.curl}\n{reply.raw.decode()}"

    def everywhere(self, right):
        """Return the queries that show the author's cheeps; `right` gets all cheeps of a page by id."""

        def of_page(reply):
            return reply.status == 200 and right({each["cheep_id"]: each for each in reply.data["cheeps"]})

        queries = [lambda **how: self.client.author_cheeps(self.author.author_id, size=100, **how)]
        queries += [partial(self.client.timeline, reader.author_id, size=100) for reader in self.followed_by]
        return [(query, of_page) for query in queries]

    async def post(self):
        cheep, text = new_id(), self.text()
        command = await self.client.post_cheep(self.author.author_id, text, cheep_id=cheep)
        self.alive[cheep] = text
        looks = self.everywhere(lambda page: page.get(cheep, {}).get("cheep_message") == text)
        looks.append((lambda **how: self.client.cheep(cheep, **how), lambda reply: reply.status == 200))
        looks.append(
            (
                lambda **how: self.client.search(text.split()[-1], **how),
                lambda reply: [each["cheep_id"] for each in reply.data["items"]] == [cheep],
            )
        )
        return command, looks

    async def edit(self):
        cheep, text = self.draw.choice(sorted(self.alive)), self.text()
        command = await self.client.update_cheep(cheep, self.author.author_id, text)
        self.alive[cheep] = text
        looks = self.everywhere(lambda page: cheep not in page or page[cheep]["cheep_message"] == text)
        looks.append((lambda **how: self.client.cheep(cheep, **how), lambda it: it.data.get("cheep_message") == text))
        return command, looks

    async def delete(self):
        cheep = self.draw.choice(sorted(self.alive))
        command = await self.client.delete_cheep(cheep, self.author.author_id)
        del self.alive[cheep]
        looks = self.everywhere(lambda page: cheep not in page)
        looks.append((lambda **how: self.client.cheep(cheep, **how), lambda reply: reply.status == 404))
        return command, looks

    async def toggle_follow(self):
        """One of the readers follows, or follows no more: its timeline has all of the author's cheeps, or none."""
        reader = self.draw.choice(self.readers)
        if reader in self.followed_by:
            command = await self.client.unfollow(reader.author_id, self.author.author_id)
            self.followed_by.discard(reader)
        else:
            command = await self.client.follow(reader.author_id, self.author.author_id)
            self.followed_by.add(reader)
        count, follows = len(self.followed_by), reader in self.followed_by
        newest = set(self.alive)

        def timeline(reply):
            shown = {each["cheep_id"] for each in reply.data["cheeps"]}
            return newest <= shown if follows else not newest & shown

        def followers(reply):
            return {each["author_id"] for each in reply.data["authors"]} == {one.author_id for one in self.followed_by}

        def following(reply):
            return (self.author.author_id in {each["author_id"] for each in reply.data["authors"]}) == follows

        return command, [
            (lambda **how: self.client.timeline(reader.author_id, size=100, **how), timeline),
            (lambda **how: self.client.followers(self.author.author_id, size=100, **how), followers),
            (lambda **how: self.client.following(reader.author_id, size=100, **how), following),
            (
                lambda **how: self.client.followers_counter(self.author.author_id, **how),
                lambda reply: reply.data["numberOfFollowers"] == count,
            ),
            (
                lambda **how: self.client.author(self.author.author_id, **how),
                lambda reply: reply.data["followers"] == count,
            ),
        ]

    async def rename(self):
        name = self.text()[:50]
        command = await self.client.update_profile(self.author.author_id, name=name)
        return command, [
            (lambda **how: self.client.author(self.author.author_id, **how), lambda it: it.data["name"] == name),
            (lambda **how: self.client.author_named(self.author.username, **how), lambda it: it.data["name"] == name),
        ]

    def text(self):
        self.number += 1
        return f"text w{self.author.author_id[:8]}n{self.number}x"


@pytest.mark.extended
@pytest.mark.takes(seconds=60)
async def test_no_response_is_wrongly_not_stale(client, stack):
    """Writers look at once for what they did, with short waits and long ones, while all fan-out runs as tasks and
    projectors are paused and killed: what a response without stale shows is what they did.

    Fails where common.lua counts no fan-out task.
    """
    draw = random.Random(SEED)
    people = await asyncio.gather(*(sign_up(client) for _ in range(3 * WRITERS)))
    writers = [
        Writer(client, author, readers, f"{SEED} {number}")
        for number, (author, *readers) in enumerate(zip(*[iter(people)] * 3, strict=True))
    ]

    async def write(writer):
        for _ in range(STEPS // WRITERS):
            await writer.step()

    async def disturb():
        while True:
            if draw.random() < 0.5:
                signal_projectors(stack, signal.SIGSTOP)
                await client.followers_counter(people[0].author_id, after=new_id(), timeout=1)  # a second passes
                signal_projectors(stack, signal.SIGCONT)
            else:
                await asyncio.to_thread(stack.kill, "projector")
            await client.followers_counter(people[0].author_id, after=new_id(), timeout=draw.choice([1, 3]))

    disturbing = asyncio.create_task(disturb())
    try:
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(write(writer))
    finally:
        disturbing.cancel()
        await asyncio.gather(disturbing, return_exceptions=True)
        signal_projectors(stack, signal.SIGCONT)
    fresh, stale = sum(writer.fresh for writer in writers), sum(writer.stale for writer in writers)
    assert fresh > WRITERS, f"seed {SEED}: {fresh} fresh, {stale} stale"
    assert stale > 0, f"seed {SEED}: nothing was in motion"
