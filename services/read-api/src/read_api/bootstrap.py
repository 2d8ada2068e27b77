"""Puts the process together: the only module that knows the queries, the stores and the HTTP side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from cheeper_runtime.checks import Check
from read_api.http.app import build_app
from read_api.http.server import serve
from read_api.ops.metrics import Metrics
from read_api.queries.author import Author, show_author
from read_api.queries.author_by_username import AuthorByUsername, find_author_by_username
from read_api.queries.author_cheeps import AuthorCheeps, list_author_cheeps
from read_api.queries.cheep import Cheep, show_cheep
from read_api.queries.cheep_answers import CheepAnswers, list_cheep_answers
from read_api.queries.command import Command, show_command
from read_api.queries.followers import Followers, list_followers
from read_api.queries.followers_counter import FollowersCounter, count_followers
from read_api.queries.following import Following, list_following
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
from read_api.stores.mongo.views import MongoViews
from read_api.stores.redis import progress as redis_progress
from read_api.stores.redis import reader as redis

log = structlog.get_logger()


def query_bus(hot: redis.RedisViews, documents: MongoViews, metrics: Metrics) -> QueryBus:
    """Return the bus with the table from query to handler, and one waiter for each view."""
    counters = Waiter(hot.settled_in_counters)
    timelines = Waiter(hot.settled_in_timelines)
    in_mongo = Waiter(documents.settled)
    both = Waiter(settled_in_all(hot.settled_in_timelines, documents.settled))
    authors, cheeps, follows = documents.authors, documents.cheeps, documents.follows
    notifications, search, commands = documents.notifications, documents.search, documents.commands
    return QueryBus(
        {
            FollowersCounter: Handler(partial(count_followers, counters=hot), counters),
            Timeline: Handler(partial(show_timeline, timelines=hot), timelines),
            Author: Handler(partial(show_author, authors=authors), in_mongo),
            AuthorByUsername: Handler(partial(find_author_by_username, authors=authors), in_mongo),
            Followers: Handler(partial(list_followers, follows=follows), in_mongo),
            Following: Handler(partial(list_following, follows=follows), in_mongo),
            AuthorCheeps: Handler(partial(list_author_cheeps, cheeps=cheeps), in_mongo),
            Notifications: Handler(partial(list_notifications, notifications=notifications), in_mongo),
            Cheep: Handler(partial(show_cheep, cheeps=cheeps), in_mongo),
            CheepAnswers: Handler(partial(list_cheep_answers, cheeps=cheeps), in_mongo),
            SearchCheeps: Handler(partial(search_cheeps, search=search), in_mongo),
            SearchAuthors: Handler(partial(search_authors, search=search), in_mongo),
            Command: Handler(partial(show_command, hot=hot, documents=commands), both),
        },
        metrics,
    )


async def run_http(settings: Settings) -> None:
    """Run the HTTP role until it is told to end."""
    redis_client = redis.connect(settings.redis_url)
    mongo_client = mongo.connect(settings.mongo_url)
    hot = redis.RedisViews(redis_client, settings.redis_prefix)
    documents = mongo.Reader(mongo_client, settings.mongo_database)
    metrics = Metrics()
    bus = query_bus(hot, MongoViews(documents), metrics)
    progress = {
        "redis": partial(redis_progress.progress, redis_client, settings.redis_prefix),
        "mongo": partial(mongo_progress.progress, mongo_client, settings.mongo_database),
    }

    async def close() -> None:
        hot.close()
        await redis_client.aclose()
        await redis_client.connection_pool.disconnect()
        await mongo_client.close()

    checks = {"redis": store_check(hot.ping), "mongo": store_check(documents.ping)}
    app = build_app(bus, checks, close, metrics, progress)
    log.info("starting", role="http", host=settings.host, port=settings.port)
    await serve(app, settings.host, settings.port, bus.close)
    log.info("stopped", role="http")


def store_check(ping: Callable[[], Awaitable[None]]) -> Check:
    """Return a check of a store, whose reason names no host."""

    async def check() -> str | None:
        try:
            await ping()
        except StoreUnavailableError:
            return "does not answer"
        return None

    return check
