"""The one place where adapters are built. The parts of each role are started and stopped in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import msgspec
import structlog
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_contracts.http.responses import OVERDUE_SECONDS
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_contracts.messages import Command
from cheeper_runtime.checks import Check, settle
from cheeper_runtime.limit_metrics import LimitsCollector
from cheeper_runtime.metrics import new_registry
from cheeper_runtime.readiness import Readiness
from cheeper_runtime.tokens.bearer import verifier_of
from write_api.bus.back_pressure import BackPressure
from write_api.bus.bus import CommandBus, Count, uncounted
from write_api.bus.dispatcher import Dispatcher, Send
from write_api.bus.limits import Limits
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer import loop as consumer_loop
from write_api.consumer import process_manager, worker
from write_api.consumer.batch import BatchHandler, Decode, Run
from write_api.consumer.dead_letters import PostgresDeadLetters
from write_api.consumer.group_consumer import GroupConsumer, Subscription
from write_api.consumer.lag import Lag
from write_api.consumer.process_manager import EventDecoder, without_checkpoints
from write_api.consumer.progress import Progress
from write_api.consumer.replay import ParkedMessage, ParkedMessages, Replay, remove_in
from write_api.db.consumer_checkpoints import PostgresCheckpoints
from write_api.db.engine import create_engine
from write_api.db.handled_commands import PostgresReservations
from write_api.db.hints import Hints
from write_api.db.schema.check import check_of_database
from write_api.db.unit_of_work import PostgresTransactions
from write_api.features import ENDPOINTS, HANDLERS
from write_api.http.app import create_app
from write_api.http.endpoint import SOURCE as HTTP_SOURCE
from write_api.http.health import create_health_app
from write_api.kafka import topics
from write_api.kafka.check import check_of_topic
from write_api.kafka.group_lag import GroupLag
from write_api.kafka.producer import CommandProducer
from write_api.ops.back_pressure_metrics import BackPressureMetrics
from write_api.ops.clock_metrics import ClockMetrics
from write_api.ops.metrics import LIMITS, CommandMetrics, ConsumerMetrics, RelayMetrics
from write_api.ops.recent_failure import RecentFailure
from write_api.ops.run_role import in_background, run_role
from write_api.process_managers import PROCESS_MANAGERS
from write_api.relay import loop as relay
from write_api.relay.backlog import BacklogMonitor, check_of_events
from write_api.relay.cursor import connect
from write_api.relay.event_log import EventLog
from write_api.relay.publisher import Publisher, gapless_producer
from write_api.settings import Settings, sends_any

WORKER_SOURCE: Final = "/write-api/worker"
_HINTS: Final = 1
"""The connection of the hints to the relay, beside those of commands."""
PROCESS_MANAGER_SOURCE: Final = "/write-api/process-manager"

log = structlog.get_logger()


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
        transactions = PostgresTransactions(engine, follows_max=settings.follows_max, metrics=ClockMetrics(registry))
        bus = _bus(settings, transactions, hints.wake, source=source, accepted=accepted, count=metrics.handled)
        yield CommandSide(engine, health, transactions.failure, registry, metrics, bus, hints.wake)
    finally:
        await hints.close()
        await settle()
        await engine.dispose()
        await health.dispose()


@asynccontextmanager
async def http_app(settings: Settings) -> AsyncIterator[ASGIApp]:
    """Build the HTTP role's application with all its parts."""
    refused = RecentFailure()
    async with (
        command_side(settings, source=HTTP_SOURCE, accepted=False) as side,
        sender(settings, refused) as send,
        admission(settings, side) as admit,
    ):
        checks: dict[str, Check] = {"postgres": check_of_database(side.health, side.failure)}
        if sends_any(settings):
            checks["kafka"] = check_of_topic(settings.kafka_bootstrap_servers, COMMANDS, settings.topic_prefix, refused)
        late = {"events": check_of_events(side.health)}
        verifier = await verifier_of(settings.auth, settings.issuers)
        dispatcher = _dispatcher(settings, side, send, admit)
        yield create_app(ENDPOINTS, dispatcher, checks, side.registry, late, verifier=verifier)


@asynccontextmanager
async def sender(settings: Settings, failure: RecentFailure | None = None) -> AsyncIterator[Send]:
    """Build the sender of commands, with a producer if any is sent; `failure` is as for CommandProducer."""
    if not sends_any(settings):
        yield _send_nothing
        return
    servers, client_id = settings.kafka_bootstrap_servers, f"write-api-{settings.role}"
    producer = CommandProducer(servers, settings.topic_prefix, client_id=client_id, recent_failure=failure)
    producer.start()
    try:
        yield producer.send
    finally:
        await producer.close()


@asynccontextmanager
async def admission(settings: Settings, side: CommandSide) -> AsyncIterator[Callable[[], None]]:
    """Poll the worker's lag, and yield what raises OverloadedError while that is over its bound."""
    metrics, topic = BackPressureMetrics(side.registry), COMMANDS.named(settings.topic_prefix)
    pressure = BackPressure(settings.worker_lag_max, metrics.refused)
    if not sends_any(settings):
        yield pressure.admit
        return
    admin = topics.TopicAdmin(settings.kafka_bootstrap_servers, COMMANDS, settings.topic_prefix)
    checkpoints = PostgresCheckpoints(side.health, topic)
    async with in_background(GroupLag(admin, checkpoints.read, (pressure.measured, metrics.lag)).watch()):
        yield pressure.admit


async def run_worker(settings: Settings, limit: int | None) -> int:
    """Run the worker until a signal or its limit. Return the exit code, 1 if poison stopped it."""
    async with command_side(settings, source=WORKER_SOURCE, accepted=True) as side:
        kept = PostgresCheckpoints(side.engine, COMMANDS.named(settings.topic_prefix))
        return await _consume(settings, side, worker.SUBSCRIPTION, worker.decode, side.bus.handle, limit, kept)


async def run_process_manager(settings: Settings, limit: int | None) -> int:
    """Run the process managers until a signal or their limit. Return the exit code, 1 if poison stopped them."""
    async with (
        command_side(settings, source=PROCESS_MANAGER_SOURCE, accepted=False) as side,
        sender(settings) as send,
    ):
        decode = EventDecoder(PROCESS_MANAGERS, PROCESS_MANAGER_SOURCE).decode
        pass_on = without_checkpoints(_dispatcher(settings, side, send).pass_on)
        return await _consume(settings, side, process_manager.SUBSCRIPTION, decode, pass_on, limit)


@asynccontextmanager
async def replays(settings: Settings) -> AsyncIterator[dict[str, Replay]]:
    """Yield the replay of each source topic by the topic's name."""
    prefix = settings.topic_prefix
    async with (
        command_side(settings, source=PROCESS_MANAGER_SOURCE, accepted=False) as side,
        sender(settings) as send,
    ):
        commands, events = COMMANDS.named(prefix), EVENTS.named(prefix)
        of_events = ParkedMessages(side.engine, [events])
        pass_on = _dispatcher(settings, side, send).pass_on

        async def handle(parked: ParkedMessage, batch: Sequence[ReceivedCommand]) -> None:
            transactions = PostgresTransactions(
                side.engine, partial(remove_in, parked=parked), follows_max=settings.follows_max
            )
            await _bus(settings, transactions, side.wake, source=WORKER_SOURCE, accepted=True).handle(batch)

        async def pass_on_and_remove(parked: ParkedMessage, batch: Sequence[ReceivedCommand]) -> None:
            await pass_on(batch)
            await of_events.remove(parked)

        yield {
            COMMANDS.name: Replay(parked=ParkedMessages(side.engine, [commands]), decode=worker.decode, run=handle),
            EVENTS.name: Replay(
                parked=of_events,
                decode=EventDecoder(PROCESS_MANAGERS, PROCESS_MANAGER_SOURCE).decode,
                run=pass_on_and_remove,
            ),
        }


async def run_relay(settings: Settings, limit: int | None) -> int:
    """Run the relay until a signal or its limit. Return the exit code."""
    url, servers = settings.database_url, settings.kafka_bootstrap_servers
    readiness, registry = Readiness(*relay.NEEDS), new_registry()
    metrics, event_log = RelayMetrics(registry), EventLog(servers, settings.topic_prefix)
    running = relay.Relay(
        partial(connect, url),
        event_log,
        lambda: Publisher(gapless_producer(servers), event_log.name),
        readiness,
        metrics=metrics,
        retention_days=settings.outbox_retention_days,
    )

    async def work(stop: asyncio.Event) -> int:
        async with in_background(BacklogMonitor(url, metrics).run()):
            await running.run(stop, limit)
        return 0

    return await run_role(settings.host, settings.port, create_health_app(readiness, {}, registry), work)


async def _consume(  # noqa: PLR0913, PLR0917 - the differences between the two roles that consume
    settings: Settings,
    side: CommandSide,
    subscription: Subscription,
    decode: Decode,
    run: Run,
    limit: int | None,
    kept: PostgresCheckpoints | None = None,
) -> int:
    servers, prefix, topic = settings.kafka_bootstrap_servers, settings.topic_prefix, subscription.topic
    readiness, metrics = Readiness(*consumer_loop.NEEDS), ConsumerMetrics(side.registry)
    dead_letters = PostgresDeadLetters(side.engine, servers, prefix, topic)
    backlog = None if kept is None else partial(kept.backlog, OVERDUE_SECONDS)
    lag = Lag(topics.TopicAdmin(servers, topic, prefix), dead_letters.count, metrics, backlog)
    loop = consumer_loop.ConsumerLoop(
        topics.TopicAdmin(servers, topic, prefix),
        partial(GroupConsumer, subscription, servers, prefix),
        BatchHandler(decode, run, dead_letters, count_parked=metrics.parked),
        readiness,
        batch=subscription.batch,
        lag=lag,
        progress=None if kept is None else Progress(kept, topic.named(prefix)),
    )

    async def work(stop: asyncio.Event) -> int:
        async with in_background(lag.watch()):
            if await loop.run(stop, limit):
                return 0
            if limit is None:
                await stop.wait()
            return 1

    pages = create_health_app(readiness, {"postgres": check_of_database(side.health)}, side.registry)
    return await run_role(settings.host, settings.port, pages, work)


def _bus(  # noqa: PLR0913 - as CommandBus
    settings: Settings,
    transactions: PostgresTransactions,
    wake: Callable[[], None],
    *,
    source: str,
    accepted: bool,
    count: Count = uncounted,
) -> CommandBus:
    return CommandBus(
        transactions.begin,
        wake,
        HANDLERS,
        source=source,
        accepted=accepted,
        count=count,
        is_allowed=settings.is_allowed,
    )


def _dispatcher(
    settings: Settings, side: CommandSide, send: Send, admit: Callable[[], None] = lambda: None
) -> Dispatcher:
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
