"""The relay."""

from __future__ import annotations

import asyncio
from functools import partial

from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.readiness.needs import Readiness
from cheeper_runtime.traces import tracer
from write_api.http.health import create_health_app
from write_api.ops.metrics import RelayMetrics
from write_api.ops.run_role import run_role
from write_api.relay import loop as relay_loop
from write_api.relay.kafka.event_log import EventLog
from write_api.relay.kafka.publisher import Publisher, gapless_producer
from write_api.relay.postgres.backlog import BacklogMonitor
from write_api.relay.postgres.cursor import connect
from write_api.relay.traces import relay_traces
from write_api.settings import Settings


async def run_relay(settings: Settings, limit: int | None) -> int:
    """Run the relay until a signal or its limit. Return the exit code."""
    url, kafka = settings.database_url, settings.kafka
    readiness, registry = Readiness(*relay_loop.NEEDS), new_registry()
    metrics, event_log = RelayMetrics(registry), EventLog(kafka, settings.topic_prefix)
    running = relay_loop.Relay(
        partial(connect, url),
        event_log,
        lambda: Publisher(gapless_producer(kafka), event_log.name),
        readiness,
        metrics=metrics,
        retention_days=settings.outbox_retention_days,
        traces=relay_traces(tracer(), event_log.name),
    )

    async def work(stop: asyncio.Event) -> int:
        async with in_background(BacklogMonitor(url, metrics).run()):
            await running.run(stop, limit)
        return 0

    return await run_role(settings.host, settings.port, create_health_app(readiness, {}, registry), work)
