"""Fixtures of the tests of commands: the bus over either write model. What is proved of one holds for the other."""

import itertools

import msgspec
import pytest
from sqlalchemy import text

from cheeper_contracts.commands.post_cheep import PostCheep
from cheeper_contracts.commands.sign_up import SignUp
from cheeper_contracts.kafka.codec import decode_event
from cheeper_contracts.kafka.envelope import Envelope
from write_api.bus.bus import CommandBus
from write_api.bus.ids import new_id
from write_api.bus.outcome import ReceivedCommand
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.testing import MemoryTransactions

NOW = 1_647_292_130_123_456


class World:
    """A bus, its clock, and what is in the outbox."""

    def __init__(self, engine):
        self.engine = engine
        self.memory = None if engine else MemoryTransactions(clock=self._now)
        self.clock = itertools.count(NOW, 1000)
        self.woken = 0
        begin = PostgresTransactions(engine, clock=self._now).begin if engine else self.memory.begin
        self.bus = CommandBus(begin, self._wake, HANDLERS, source="/test")

    def _now(self):
        return next(self.clock)

    def _wake(self):
        self.woken += 1

    async def handle(self, *commands, message_id=None):
        return await self.bus.handle([self.incoming(command, message_id) for command in commands])

    async def codes(self, *commands):
        """The refusals of these commands, or none for each that is not refused."""
        return [outcome.code for outcome in await self.handle(*commands)]

    async def messages(self):
        """The outbox's messages with their envelopes, in order."""
        if self.memory:
            return [(handled.event, handled.envelope) for handled in self.memory.tables.outbox]
        async with self.engine.connect() as connection:
            rows = await connection.execute(text("SELECT * FROM outbox ORDER BY epoch, xid, id"))
            return [(decode_event(row.type, msgspec.json.encode(row.payload)), envelope_of(row)) for row in rows]

    async def events(self):
        return [event for event, _ in await self.messages()]

    @staticmethod
    def incoming(command, message_id=None):
        message_id = message_id or new_id()
        envelope = Envelope(
            message_id=message_id,
            type=command.TYPE,
            source="/client",
            time=1,
            key=command.key,
            correlation_id=message_id,
            traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )
        return ReceivedCommand(command=command, envelope=envelope)


def envelope_of(row):
    return Envelope(
        message_id=str(row.message_id),
        type=row.type,
        source=row.source,
        time=row.time,
        key=row.key,
        correlation_id=str(row.correlation_id),
        reply_to=str(row.reply_to),
        traceparent=row.traceparent,
    )


@pytest.fixture
def a_sign_up():
    """Makes sign-ups of authors who are not there yet."""

    def make(**given):
        author_id = new_id()
        form = {"author_id": author_id, "username": f"u{author_id[-12:]}", "email": f"{author_id}@example.com"}
        return SignUp(**(form | given))

    return make


@pytest.fixture
def make_world():
    """Makes the bus over an engine's write model, or over one in memory."""
    return World


@pytest.fixture(params=["memory", "postgres"])
def world(request):
    return World(None if request.param == "memory" else request.getfixturevalue("engine"))


@pytest.fixture
async def people(world, a_sign_up):
    """The sign-ups of Alice and Bob."""
    alice, bob = a_sign_up(), a_sign_up()
    await world.handle(alice, bob)
    return alice, bob


@pytest.fixture
async def cheep(world, people):
    """A post by Bob."""
    post = PostCheep(cheep_id=new_id(), author_id=people[1].author_id, message="Hello")
    await world.handle(post)
    return post
