"""The parts of the roles that run commands: the pool, the bus, the dispatcher, and the sender of commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.kafka.topics import COMMANDS
from cheeper_contracts.messages import Command
from cheeper_runtime.concurrency.metrics import LimitsCollector
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.readiness.checks import settle
from cheeper_runtime.traces import tracer
from write_api.bus.bus import CommandBus, Count, uncounted
from write_api.bus.dispatcher import Dispatcher, Send
from write_api.bus.limits import Limits
from write_api.bus.traces import command_traces
from write_api.db.engine import create_engine
from write_api.db.handled_commands import PostgresReservations
from write_api.db.hints import Hints
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import HANDLERS
from write_api.kafka.producer import CommandProducer
from write_api.kafka.traces import traced_send
from write_api.ops.clock_metrics import ClockMetrics
from write_api.ops.command_metrics import CommandMetrics
from write_api.ops.metrics import LIMITS
from write_api.ops.recent_failure import RecentFailure
from write_api.settings import Settings, sends_any

_HINTS: Final = 1
"""The connection of the hints to the relay, beside those of commands."""


class CommandSide(msgspec.Struct, frozen=True):
    """The parts that run commands: the pool, its recent failure, the bus, the hint to the relay, and the metrics.
    `health` is the connection of the readiness check, which does not wait for the pool.
    """

    engine: AsyncEngine
    health: AsyncEngine
    failure: RecentFailure
    registry: CollectorRegistry
    metrics: CommandMetrics
    bus: CommandBus
    wake: Callable[[], None]


@asynccontextmanager
async def command_side(settings: Settings, *, source: str, accepted: bool) -> AsyncIterator[CommandSide]:
    """Build the parts that run commands for a role, the `source` of their messages; `accepted` is as for CommandBus."""
    name, connections = f"write-api-{settings.role}", settings.database_commands + _HINTS
    engine = create_engine(settings.database_url, application_name=name, pool_size=connections)
    health = create_engine(settings.database_url, application_name=f"{name}-health", pool_size=1)
    hints, registry = Hints(engine), new_registry()
    metrics = CommandMetrics(registry)
    try:
        transactions = PostgresTransactions(engine, quotas=settings.quotas, metrics=ClockMetrics(registry))
        bus = new_bus(settings, transactions, hints.wake, source=source, accepted=accepted, count=metrics.handled)
        yield CommandSide(engine, health, transactions.failure, registry, metrics, bus, hints.wake)
    finally:
        await hints.close()
        await settle()
        await engine.dispose()
        await health.dispose()


@asynccontextmanager
async def sender(settings: Settings, failure: RecentFailure | None = None) -> AsyncIterator[Send]:
    """Build the sender of commands, with a producer if any is sent; `failure` is as for CommandProducer."""
    if not sends_any(settings):
        yield _send_nothing
        return
    client_id = f"write-api-{settings.role}"
    producer = CommandProducer(settings.kafka, settings.topic_prefix, client_id=client_id, recent_failure=failure)
    producer.start()
    try:
        yield traced_send(producer.send, tracer(), COMMANDS.named(settings.topic_prefix))
    finally:
        await producer.close()


def new_bus(  # noqa: PLR0913 - as CommandBus
    settings: Settings,
    transactions: PostgresTransactions,
    wake: Callable[[], None],
    *,
    source: str,
    accepted: bool,
    count: Count = uncounted,
) -> CommandBus:
    """Return the bus of these transactions; `wake`, `source`, `accepted` and `count` are as for CommandBus."""
    return CommandBus(
        transactions.begin,
        wake,
        HANDLERS,
        source=source,
        accepted=accepted,
        count=count,
        is_allowed=settings.is_allowed,
        traces=command_traces(tracer(), COMMANDS.named(settings.topic_prefix) if accepted else None),
    )


def new_dispatcher(
    settings: Settings, side: CommandSide, send: Send, admit: Callable[[], None] = lambda: None
) -> Dispatcher:
    """Return the dispatcher of a role, with the metrics of its limits; `send` and `admit` are as for Dispatcher."""
    limits = Limits.of(
        database=settings.database_commands,
        broker=settings.broker_commands,
        queue_seconds=settings.queue_milliseconds / 1000,
    )
    side.registry.register(LimitsCollector(LIMITS, limits.all()))
    reservations = PostgresReservations(side.engine)
    return Dispatcher(
        side.bus,
        settings.transports,
        reservations,
        send,
        limits,
        count=side.metrics.accepted,
        admit=admit,
        is_allowed=settings.is_allowed,
    )


async def _send_nothing(command: Command, envelope: Envelope) -> None:
    raise LookupError(f"{type(command).__name__} {envelope.message_id} is not configured to be sent")
