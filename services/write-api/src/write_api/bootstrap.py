"""The one place where adapters are built: each role's parts, started and stopped in order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from litestar.types import ASGIApp
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_contracts.commands import Command
from cheeper_contracts.envelope import Envelope
from write_api.commands.bus import CommandBus
from write_api.commands.errors import UnavailableError
from write_api.commands.transports import Dispatcher, Send, Transport
from write_api.db.engine import create_engine
from write_api.db.handled_commands import PostgresReservations
from write_api.db.hints import Hints
from write_api.db.migrate import missing_revision
from write_api.db.unit_of_work import PostgresTransactions
from write_api.http.answering import SOURCE as HTTP_SOURCE
from write_api.http.app import create_app
from write_api.http.health import Check
from write_api.kafka.producer import BrokerUnavailableError, CommandProducer
from write_api.settings import Settings


class CommandSide(msgspec.Struct, frozen=True, kw_only=True):
    """What runs commands: the pool, and the bus over it."""

    engine: AsyncEngine
    bus: CommandBus


@asynccontextmanager
async def command_side(settings: Settings, *, source: str, accepted: bool) -> AsyncIterator[CommandSide]:
    """The parts that run commands, for a role that is the `source` of their messages; `accepted` as for CommandBus."""
    engine = create_engine(settings.database_url, application_name=f"write-api-{settings.role}")
    hints = Hints(engine)
    try:
        bus = CommandBus(PostgresTransactions(engine).begin, hints.wake, source=source, accepted=accepted)
        yield CommandSide(engine=engine, bus=bus)
    finally:
        await hints.close()
        await engine.dispose()


@asynccontextmanager
async def http_app(settings: Settings) -> AsyncIterator[ASGIApp]:
    """The HTTP role's application, with all that it stands on."""
    async with command_side(settings, source=HTTP_SOURCE, accepted=False) as side:
        checks: dict[str, Check] = {"postgres": postgres_check(side.engine)}
        if Transport.ASYNC not in settings.transports.values():
            yield create_app(_dispatcher(settings, side, _send_nothing), checks)
            return
        producer = CommandProducer(settings.kafka_bootstrap_servers, settings.topic_prefix)
        producer.start()
        try:
            yield create_app(_dispatcher(settings, side, _send_with(producer)), checks)
        finally:
            await producer.close()


def postgres_check(engine: AsyncEngine) -> Check:
    """Whether Postgres answers and has the schema that this code needs."""

    async def check() -> str | None:
        try:
            missing = await missing_revision(engine)
        except (SQLAlchemyError, OSError) as error:
            return f"no answer: {type(getattr(error, 'orig', error)).__name__}"
        return f"waiting for migration {missing}" if missing else None

    return check


def _dispatcher(settings: Settings, side: CommandSide, send: Send) -> Dispatcher:
    return Dispatcher(side.bus, settings.transports, PostgresReservations(side.engine), send)


def _send_with(producer: CommandProducer) -> Send:
    async def send(command: Command, envelope: Envelope) -> None:
        try:
            await producer.send(command, envelope)
        except BrokerUnavailableError as error:
            raise UnavailableError("Kafka did not confirm a command") from error

    return send


async def _send_nothing(command: Command, envelope: Envelope) -> None:
    raise LookupError(f"{type(command).__name__} {envelope.message_id} is not configured to be sent")
