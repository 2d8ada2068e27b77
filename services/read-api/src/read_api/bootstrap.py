"""Puts the process together: the only module that knows the queries, the stores and the HTTP side."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import msgspec
import structlog

from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_contracts.http.routes import template_of
from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.http_server import http_server
from cheeper_runtime.rate_limits.settings import rate_limits_of
from cheeper_runtime.rate_limits.valkey import shared
from cheeper_runtime.readiness.checks import Check
from cheeper_runtime.servers.refusals import refusal
from cheeper_runtime.tokens.bearer import verifier_of
from cheeper_runtime.traces import tracer
from cheeper_runtime.traces.asgi import traced_app
from read_api.http.app import build_app
from read_api.ops.metrics import Metrics
from read_api.queries.author import Author, show_author
from read_api.queries.author_by_username import AuthorByUsername, find_author_by_username
from read_api.queries.author_cheeps import AuthorCheeps, list_author_cheeps
from read_api.queries.blocks import Blocks, list_blocks
from read_api.queries.cheep import Cheep, show_cheep
from read_api.queries.cheep_answers import CheepAnswers, list_cheep_answers
from read_api.queries.command import Command, show_command
from read_api.queries.followers import Followers, list_followers
from read_api.queries.followers_counter import FollowersCounter, count_followers
from read_api.queries.following import Following, list_following
from read_api.queries.mutes import Mutes, list_mutes
from read_api.queries.notifications import Notifications, list_notifications
from read_api.queries.search_authors import SearchAuthors, search_authors
from read_api.queries.search_cheeps import SearchCheeps, search_cheeps
from read_api.queries.timeline import Timeline, show_timeline
from read_api.query_bus.bus import Handler, QueryBus
from read_api.query_bus.query import StoreUnavailableError
from read_api.query_bus.read_your_writes import Waiter, settled_in_all
from read_api.settings import Settings
from read_api.stores.mongo import progress as mongo_progress
from read_api.stores.mongo import reader as mongo
from read_api.stores.mongo.notifications import MongoNotifications
from read_api.stores.mongo.search import SEARCH_MS
from read_api.stores.mongo.views import MongoViews
from read_api.stores.redis import progress as redis_progress
from read_api.stores.redis import reader as redis
from read_api.stores.redis import subscription
from read_api.streams.catch_up import catch_up
from read_api.streams.notification_stream import NotificationStream
from read_api.streams.streams import Streams
from read_api.streams.timeline_stream import TimelineStream

log = structlog.get_logger()


_SPARE_CONNECTIONS: Final = 4
"""Connections to MongoDB beside those of queries: two polls of `after` at a time, and room for cancelled look-ups."""


class Limits(msgspec.Struct, frozen=True):
    """The limits of concurrent work: of the look-ups in Redis alone, of those in MongoDB, of the searches there, and of
    the waits of `after`; and that of open streams.

    Each store has its own, so that a slow one does not take the places of the other's queries, and so have searches,
    whose cost is not bounded by what they show.
    """

    redis: ConcurrencyLimit
    mongo: ConcurrencyLimit
    searches: ConcurrencyLimit
    waits: ConcurrencyLimit
    streams: ConcurrencyLimit

    def all(self) -> tuple[ConcurrencyLimit, ...]:
        """Return all of them."""
        return self.redis, self.mongo, self.searches, self.waits, self.streams


def limits_of(settings: Settings) -> Limits:
    """Return the limits of the process."""
    seconds = settings.queue_milliseconds / 1000
    return Limits(
        redis=ConcurrencyLimit("redis", at_once=settings.redis_queries, queue_seconds=seconds),
        mongo=ConcurrencyLimit("mongo", at_once=settings.mongo_queries, queue_seconds=seconds),
        searches=ConcurrencyLimit("searches", at_once=settings.search_queries, queue_seconds=seconds),
        waits=ConcurrencyLimit("waits", at_once=settings.after_waits, queue_seconds=0),
        streams=ConcurrencyLimit("streams", at_once=settings.streams, queue_seconds=0),
    )


def query_bus(hot: redis.RedisViews, documents: MongoViews, metrics: Metrics, limits: Limits) -> QueryBus:
    """Return the bus with the table from query to handler, one waiter for each view and one limit for each store."""
    counters = Waiter(hot.settled_in_counters)
    timelines = Waiter(hot.settled_in_timelines)
    in_mongo = Waiter(documents.settled)
    both = Waiter(settled_in_all(hot.settled_in_timelines, documents.settled))
    authors, cheeps, follows = documents.authors, documents.cheeps, documents.follows
    notifications, search, commands = documents.notifications, documents.search, documents.commands
    return QueryBus(
        {
            FollowersCounter: Handler(partial(count_followers, counters=hot), counters, limits.redis),
            Timeline: Handler(partial(show_timeline, timelines=hot), timelines, limits.redis),
            Author: Handler(partial(show_author, authors=authors), in_mongo, limits.mongo),
            AuthorByUsername: Handler(partial(find_author_by_username, authors=authors), in_mongo, limits.mongo),
            Followers: Handler(partial(list_followers, follows=follows), in_mongo, limits.mongo),
            Following: Handler(partial(list_following, follows=follows), in_mongo, limits.mongo),
            Mutes: Handler(partial(list_mutes, hidden=documents.hidden), in_mongo, limits.mongo),
            Blocks: Handler(partial(list_blocks, hidden=documents.hidden), in_mongo, limits.mongo),
            AuthorCheeps: Handler(partial(list_author_cheeps, cheeps=cheeps), in_mongo, limits.mongo),
            Notifications: Handler(partial(list_notifications, notifications=notifications), in_mongo, limits.mongo),
            Cheep: Handler(partial(show_cheep, cheeps=cheeps), in_mongo, limits.mongo),
            CheepAnswers: Handler(partial(list_cheep_answers, cheeps=cheeps), in_mongo, limits.mongo),
            SearchCheeps: Handler(partial(search_cheeps, search=search), in_mongo, limits.searches, abandon=True),
            SearchAuthors: Handler(partial(search_authors, search=search), in_mongo, limits.searches, abandon=True),
            Command: Handler(partial(show_command, hot=hot, documents=commands), both, limits.mongo),
        },
        metrics,
        limits.waits,
        tracer(),
    )


class Health:
    """The parts of the stores that the health page and the metrics page read, over connections of their own: under load
    those of the queries are all in use.
    """

    def __init__(self, settings: Settings) -> None:
        redis_client, mongo_client = redis.connect(settings.redis_url), mongo.connect(settings.mongo_url, connections=2)
        self._hot = redis.RedisViews(redis_client, settings.redis_prefix)
        self._redis, self._mongo = redis_client, mongo_client
        documents = mongo.Reader(mongo_client, settings.mongo_database)
        self.checks: dict[str, Check] = {"redis": store_check(self._hot.ping), "mongo": store_check(documents.ping)}
        self.progress = {
            "redis": partial(redis_progress.progress, redis_client, settings.redis_prefix),
            "mongo": partial(mongo_progress.progress, mongo_client, settings.mongo_database),
        }

    async def sequences_in_redis(self) -> Mapping[int, int]:
        """Return the sequence of the last message that Redis shows, by partition. Raise StoreUnavailableError."""
        return (await self.progress["redis"]()).sequences

    async def close(self) -> None:
        """Close the connections."""
        self._hot.close()
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()
        await self._mongo.close()


async def run_http(settings: Settings) -> None:
    """Run the HTTP role until it is stopped."""
    limits, health = limits_of(settings), Health(settings)
    hot = redis.RedisViews(redis.connect(settings.redis_url), settings.redis_prefix)
    mongo_client = mongo.connect(settings.mongo_url, connections=settings.mongo_queries + _SPARE_CONNECTIONS)
    rate_limits = rate_limits_of(settings, settings.auth, CLIENT_ADDRESS_HEADER)
    metrics = Metrics(limits.all(), () if rate_limits is None else rate_limits.all())
    documents = mongo.Reader(mongo_client, settings.mongo_database)
    search_client = mongo.connect_for_searches(settings.mongo_url, settings.search_queries)
    searches = mongo.Reader(search_client, settings.mongo_database, SEARCH_MS)
    bus = query_bus(hot, MongoViews(documents, searches), metrics, limits)
    subscriber = subscription.connect(settings.redis_url)
    streams = Streams(
        {
            Timeline: partial(TimelineStream, timelines=hot),
            Notifications: partial(
                NotificationStream,
                notifications=MongoNotifications(documents),
                catch_up=partial(catch_up, health.sequences_in_redis, documents.sequences),
            ),
        },
        partial(subscription.Subscription, subscriber, settings.redis_prefix),
        limits.streams,
        settings.streams_per_author,
        metrics,
    )

    async def close() -> None:
        hot.close()
        await subscriber.aclose()
        await mongo_client.close()
        await search_client.close()
        await health.close()

    async def connect() -> None:
        """Connect now, so that the first query need not. Stores that are unavailable are connected to later."""
        await asyncio.gather(hot.ping(), documents.ping(), return_exceptions=True)

    verifier = await verifier_of(settings.auth, settings.issuers)

    def drain() -> None:
        bus.close()
        streams.close()

    app = build_app(
        bus, streams, health.checks, close, metrics, health.progress, verifier=verifier, rate_limits=rate_limits
    )
    app = traced_app(app, tracer(), template_of)
    log.info("starting", role="http", host=settings.host, port=settings.port)
    connecting = asyncio.create_task(connect())
    async with shared(rate_limits, settings.limits_url):
        await http_server(app, settings.host, settings.port, on_drain=drain).serve()
    await connecting
    log.info("stopped", role="http")


def store_check(ping: Callable[[], Awaitable[None]]) -> Check:
    """Return a check of a store, whose reason names no host."""

    async def check() -> str | None:
        try:
            await ping()
        except StoreUnavailableError as error:
            reason = refusal(error)
            return f"does not answer: {reason}" if reason else "does not answer"
        return None

    return check
