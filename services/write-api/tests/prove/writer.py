"""A process that writes as `write-api` does, through its command bus, its units of work and its outbox: many keys'
turns, counted in rows under the keys' locks, so that every message says which of its key's it is.

Usage: `python writer.py DATABASE_URL SEED ACTS`. A line to stdout for each act that ended: its name, and `undone` with
the message ids of a transaction that is about to be rolled back. It is made to be killed.
"""

import asyncio
import logging
import random
import sys
from collections.abc import Sequence

import structlog
from sqlalchemy import text

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.kafka.envelope import Envelope
from write_api import outbox
from write_api.bus.bus import CommandBus
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.bus.unit_of_work import ClashError
from write_api.db.engine import create_engine
from write_api.db.hints import Hints
from write_api.db.unit_of_work import PostgresTransactions, lock
from write_api.domain.errors import CheepNotFound

HANDS = 4
COUNT = text("UPDATE counts SET n = n + 1 WHERE key = :key RETURNING n")
SLEEP = text("SELECT pg_sleep(:seconds)")
ELSEWHERE = text("INSERT INTO elsewhere (message) VALUES ('x')")

SLOW, REFUSED, PLAIN = "slow", "refused", "plain"


async def count_and_post(command, work, _now):
    """The handler of the one command: counts its key's turn, takes its time where it is slow, or refuses after all.

    It writes past the repositories, so a refusal has something to undo: a savepoint if commands are written separately,
    and before that the whole transaction, as by a rule that only the tables know.
    """
    connection = work._connection
    turn = (await connection.execute(COUNT, {"key": command.key})).scalar_one()
    if command.message.startswith(SLOW):
        await connection.execute(SLEEP, {"seconds": float(command.message.split()[1])})
    if command.message == REFUSED and not work._separately:
        raise ClashError(command.cheep_id)
    if command.message == REFUSED:
        raise CheepNotFound(command.cheep_id)
    return posted(command.cheep_id, command.key, turn)


def posted(cheep_id: str, key: str, turn: int) -> CheepPosted:
    return CheepPosted(cheep_id=cheep_id, author_id=key, author_username="u", message="x", cheep_date=turn)


def incoming(key: str, message: str) -> ReceivedCommand:
    command = PostCheep(cheep_id=new_id(), author_id=key, message=message)
    return ReceivedCommand(command=command, envelope=envelope(command.TYPE, key))


def envelope(type_: str, key: str) -> Envelope:
    message_id = new_id()
    return Envelope(message_id=message_id, type=type_, source="/prove", time=1, key=key, correlation_id=message_id)


class Hand:
    """One of a process's hands, which does one act after another on connections of the pool."""

    def __init__(self, engine, wake, keys: Sequence[str], rng: random.Random) -> None:
        self.engine, self.wake, self.keys, self.rng = engine, wake, keys, rng
        begin = PostgresTransactions(engine).begin
        self.bus = CommandBus(begin, wake, {PostCheep: count_and_post}, source="/prove")
        self.acts = {
            self.alone: 8,
            self.slow: 4,
            self.batch: 4,
            self.of_its_own: 4,
            self.undone: 4,
            self.foreign: 2,
        }

    def seconds(self, most: float) -> float:
        return round(self.rng.uniform(0, most), 3)

    def some_keys(self, most: int) -> list[str]:
        return self.rng.sample(self.keys, self.rng.randint(1, most))

    async def alone(self) -> None:
        """One command, by the bus."""
        await self.bus.handle([incoming(self.rng.choice(self.keys), PLAIN)])

    async def slow(self) -> None:
        """One that has written and then takes its time."""
        await self.bus.handle([incoming(self.rng.choice(self.keys), f"{SLOW} {self.seconds(0.12)}")])

    async def batch(self) -> None:
        """Many of several keys in one transaction, a savepoint each, some of them refused."""
        keys = self.some_keys(3)
        whats = [PLAIN] * 6 + [REFUSED] * 2 + [f"{SLOW} {self.seconds(0.03)}"]
        await self.bus.handle(
            [incoming(self.rng.choice(keys), self.rng.choice(whats)) for _ in range(self.rng.randint(2, 20))]
        )

    async def of_its_own(self) -> None:
        """A transaction of its own over several keys, in the project's way: the locks, then all else."""
        async with self.engine.begin() as connection:
            await self.write(connection)
            await connection.execute(SLEEP, {"seconds": self.seconds(0.05)})
        self.wake()

    async def undone(self) -> None:
        """The same, rolled back after all."""
        async with self.engine.connect() as connection:
            left = await self.write(connection)
            await connection.execute(SLEEP, {"seconds": self.seconds(0.05)})
            say("undone", *left)
            await connection.rollback()

    async def foreign(self) -> None:
        """One that has its id before all else and stays open: it holds the horizon, and waits for a key as well."""
        async with self.engine.connect() as connection:
            await connection.execute(ELSEWHERE)
            await connection.execute(SLEEP, {"seconds": self.seconds(0.8)})
            if self.rng.random() < 0.5:
                await lock(connection, self.some_keys(1))
            await (connection.commit() if self.rng.random() < 0.5 else connection.rollback())

    async def write(self, connection) -> list[str]:
        keys = self.some_keys(2)
        await lock(connection, keys)
        messages = []
        for key in keys:
            turn = (await connection.execute(COUNT, {"key": key})).scalar_one()
            messages.append((envelope(CheepPosted.TYPE, key), posted(new_id(), key, turn)))
        await outbox.append_all(connection, messages)
        return [envelope.message_id for envelope, _ in messages]

    async def do(self, acts: int) -> None:
        for _ in range(acts):
            (act,) = self.rng.choices(list(self.acts), list(self.acts.values()))
            try:
                await act()
            except UnavailableError:
                say("lost")  # a deadlock or the like: nothing of it is there
            else:
                say(act.__name__)


def say(*words: str) -> None:
    print(*words, flush=True)  # noqa: T201 - how the process tells what it does


async def main(url: str, seed: str, acts: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    engine = create_engine(url, application_name="prove-writer", pool_size=HANDS * 2)
    hints = Hints(engine)
    async with engine.connect() as connection:
        keys = list((await connection.execute(text("SELECT key FROM counts ORDER BY key"))).scalars())
    hands = [Hand(engine, hints.wake, keys, random.Random(f"{seed} {number}")) for number in range(HANDS)]
    await asyncio.gather(*(hand.do(acts // HANDS) for hand in hands))
    await hints.close()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
