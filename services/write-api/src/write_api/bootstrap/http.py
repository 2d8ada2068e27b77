"""The HTTP role's application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from litestar.types import ASGIApp

from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_contracts.http.routes import SIGN_UPS, template_of
from cheeper_contracts.kafka.topics import COMMANDS
from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.rate_limits.limits import RateLimits
from cheeper_runtime.rate_limits.metrics import RateLimitsCollector
from cheeper_runtime.rate_limits.policy import Policy
from cheeper_runtime.rate_limits.settings import rate_limits_of
from cheeper_runtime.rate_limits.valkey import shared
from cheeper_runtime.readiness.checks import Check
from cheeper_runtime.tokens.bearer import verifier_of
from cheeper_runtime.traces import tracer
from cheeper_runtime.traces.asgi import traced_app
from write_api.bootstrap.command_side import CommandSide, command_side, new_dispatcher, sender
from write_api.bus.back_pressure import BackPressure
from write_api.db.consumer_checkpoints import PostgresCheckpoints
from write_api.db.schema.check import check_of_database
from write_api.features import ENDPOINTS
from write_api.http.app import create_app
from write_api.http.endpoint import SOURCE as HTTP_SOURCE
from write_api.kafka import topics
from write_api.kafka.check import check_of_topic
from write_api.kafka.group_lag import GroupLag
from write_api.ops.back_pressure_metrics import BackPressureMetrics
from write_api.ops.metrics import RATE_LIMITS
from write_api.ops.recent_failure import RecentFailure
from write_api.relay.postgres.backlog import check_of_events
from write_api.settings import Settings, sends_any

_SECONDS_PER_HOUR: Final = 3600


@asynccontextmanager
async def http_app(settings: Settings) -> AsyncIterator[ASGIApp]:
    """Build the HTTP role's application with all its parts."""
    refused, rate_limits = RecentFailure(), _rate_limits(settings)
    async with (
        command_side(settings, source=HTTP_SOURCE, accepted=False) as side,
        sender(settings, refused) as send,
        admission(settings, side) as admit,
        shared(rate_limits, settings.limits_url),
    ):
        if rate_limits is not None:
            side.registry.register(RateLimitsCollector(RATE_LIMITS, rate_limits.all()))
        checks: dict[str, Check] = {"postgres": check_of_database(side.health, side.failure)}
        if sends_any(settings):
            checks["kafka"] = check_of_topic(settings.kafka, COMMANDS, settings.topic_prefix, refused)
        late = {"events": check_of_events(side.health)}
        verifier = await verifier_of(settings.auth, settings.issuers)
        dispatcher = new_dispatcher(settings, side, send, admit)
        app = create_app(ENDPOINTS, dispatcher, checks, side.registry, late, verifier=verifier, rate_limits=rate_limits)
        yield traced_app(app, tracer(), template_of)


@asynccontextmanager
async def admission(settings: Settings, side: CommandSide) -> AsyncIterator[Callable[[], None]]:
    """Poll the worker's lag, and yield what raises OverloadedError while that is over its bound."""
    metrics, topic = BackPressureMetrics(side.registry), COMMANDS.named(settings.topic_prefix)
    pressure = BackPressure(settings.worker_lag_max, metrics.refused)
    if not sends_any(settings):
        yield pressure.admit
        return
    admin = topics.TopicAdmin(settings.kafka, COMMANDS, settings.topic_prefix)
    checkpoints = PostgresCheckpoints(side.health, topic)
    async with in_background(GroupLag(admin, checkpoints.read, (pressure.measured, metrics.lag)).watch()):
        yield pressure.admit


def _rate_limits(settings: Settings) -> RateLimits | None:
    sign_ups = Policy(
        name=SIGN_UPS, burst=settings.sign_ups_burst, per_second=settings.sign_ups_per_hour / _SECONDS_PER_HOUR
    )
    return rate_limits_of(settings, settings.auth, CLIENT_ADDRESS_HEADER, [sign_ups])
