"""The roles that consume a topic: the worker and the process managers."""

from __future__ import annotations

import asyncio
from functools import partial

from cheeper_contracts.http.responses import OVERDUE_SECONDS
from cheeper_contracts.kafka.topics import COMMANDS
from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.traces import tracer
from write_api.bootstrap.command_side import CommandSide, command_side, new_dispatcher, sender
from write_api.consumer import loop as consumer_loop
from write_api.consumer import process_manager, worker
from write_api.consumer.batch import BatchHandler, Decode, Run
from write_api.consumer.dead_letters import PostgresDeadLetters
from write_api.consumer.group_consumer import GroupConsumer, Subscription
from write_api.consumer.lag import Lag
from write_api.consumer.process_manager import EventDecoder, without_checkpoints
from write_api.consumer.progress import Progress
from write_api.consumer.traces import traced_decode
from write_api.db.consumer_checkpoints import PostgresCheckpoints
from write_api.db.schema.check import check_of_database
from write_api.http.health import create_health_app
from write_api.kafka import topics
from write_api.kafka.access import ACCESS
from write_api.ops.metrics import ConsumerMetrics
from write_api.ops.run_role import run_role
from write_api.process_managers import PROCESS_MANAGERS
from write_api.settings import Settings


async def run_worker(settings: Settings, limit: int | None) -> int:
    """Run the worker until a signal or its limit. Return the exit code, 1 if poison stopped it."""
    async with command_side(settings, source=worker.SOURCE, accepted=True) as side:
        kept = PostgresCheckpoints(side.engine, COMMANDS.named(settings.topic_prefix))
        return await _consume(settings, side, worker.SUBSCRIPTION, worker.decode, side.bus.handle, limit, kept)


async def run_process_manager(settings: Settings, limit: int | None) -> int:
    """Run the process managers until a signal or their limit. Return the exit code, 1 if poison stopped them."""
    async with (
        command_side(settings, source=process_manager.SOURCE, accepted=False) as side,
        sender(settings) as send,
    ):
        decode = traced_decode(EventDecoder(PROCESS_MANAGERS, process_manager.SOURCE).decode, tracer())
        pass_on = without_checkpoints(new_dispatcher(settings, side, send).pass_on)
        return await _consume(settings, side, process_manager.SUBSCRIPTION, decode, pass_on, limit)


async def _consume(  # noqa: PLR0913, PLR0917 - the differences between the two roles that consume
    settings: Settings,
    side: CommandSide,
    subscription: Subscription,
    decode: Decode,
    run: Run,
    limit: int | None,
    kept: PostgresCheckpoints | None = None,
) -> int:
    kafka, prefix, topic = settings.kafka, settings.topic_prefix, subscription.topic
    readiness, metrics = Readiness(*consumer_loop.NEEDS), ConsumerMetrics(side.registry)
    dead_letters = PostgresDeadLetters(side.engine, kafka, prefix, topic)
    backlog = None if kept is None else partial(kept.backlog, OVERDUE_SECONDS)
    lag = Lag(topics.TopicAdmin(kafka, topic, prefix), dead_letters.count, metrics, backlog)
    loop = consumer_loop.ConsumerLoop(
        topics.TopicAdmin(kafka, topic, prefix, ACCESS[subscription.role].creates),
        partial(GroupConsumer, subscription, kafka, prefix),
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
