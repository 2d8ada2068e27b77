"""Puts the process together: the one place that knows the queries, the stores and the HTTP side at once."""

from __future__ import annotations

from functools import partial

import structlog

from read_api.http.app import build_app
from read_api.http.health import Readiness
from read_api.http.server import serve
from read_api.ops.metrics import Metrics
from read_api.queries.author import Author, ShowAuthor
from read_api.queries.author_by_username import AuthorByUsername, FindAuthorByUsername
from read_api.queries.author_cheeps import AuthorCheeps, ListAuthorCheeps
from read_api.queries.cheep import Cheep, ShowCheep
from read_api.queries.cheep_answers import CheepAnswers, ListCheepAnswers
from read_api.queries.command import Command, ShowCommand
from read_api.queries.followers import Followers, ListFollowers
from read_api.queries.followers_counter import CountFollowers, FollowersCounter
from read_api.queries.following import Following, ListFollowing
from read_api.queries.notifications import ListNotifications, Notifications
from read_api.queries.search_authors import FindAuthors, SearchAuthors
from read_api.queries.search_cheeps import FindCheeps, SearchCheeps
from read_api.queries.timeline import ShowTimeline, Timeline
from read_api.query_bus.bus import QueryBus
from read_api.query_bus.read_your_writes import Waiter, in_all
from read_api.settings import Settings
from read_api.stores.mongo import reader as mongo
from read_api.stores.mongo.authors import MongoAuthors
from read_api.stores.mongo.cheeps import MongoCheeps
from read_api.stores.mongo.commands import MongoCommands
from read_api.stores.mongo.follows import MongoFollows
from read_api.stores.mongo.notifications import MongoNotifications
from read_api.stores.mongo.search import MongoSearch
from read_api.stores.redis import applied
from read_api.stores.redis import reader as redis

log = structlog.get_logger()


def query_bus(hot: redis.RedisViews, documents: mongo.Reader, metrics: Metrics) -> QueryBus:
    """The table from query to handler, with one waiter for each view."""
    in_documents = Waiter(documents.settled)
    in_both = Waiter(in_all(hot.settled_in_timelines, documents.settled))
    authors, cheeps, follows = MongoAuthors(documents), MongoCheeps(documents), MongoFollows(documents)
    search = MongoSearch(documents)
    return QueryBus(
        {
            FollowersCounter: CountFollowers(hot, Waiter(hot.settled_in_counters)),
            Timeline: ShowTimeline(hot, Waiter(hot.settled_in_timelines)),
            Author: ShowAuthor(authors, in_documents),
            AuthorByUsername: FindAuthorByUsername(authors, in_documents),
            Followers: ListFollowers(follows, in_documents),
            Following: ListFollowing(follows, in_documents),
            AuthorCheeps: ListAuthorCheeps(cheeps, in_documents),
            Notifications: ListNotifications(MongoNotifications(documents), in_documents),
            Cheep: ShowCheep(cheeps, in_documents),
            CheepAnswers: ListCheepAnswers(cheeps, in_documents),
            SearchCheeps: FindCheeps(search, in_documents),
            SearchAuthors: FindAuthors(search, in_documents),
            Command: ShowCommand(hot, MongoCommands(documents), in_both),
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
    bus = query_bus(hot, documents, metrics)
    looks = {
        "redis": partial(applied.of_redis, redis_client, settings.redis_prefix),
        "mongo": partial(applied.of_mongo, mongo_client, settings.mongo_database),
    }

    async def close() -> None:
        await redis_client.aclose()
        await redis_client.connection_pool.disconnect()
        await mongo_client.close()

    app = build_app(bus, Readiness({"redis": hot.ping, "mongo": documents.ping}), close, metrics, looks)
    log.info("starting", role="http", host=settings.host, port=settings.port)
    await serve(app, settings.host, settings.port, bus.close)
    log.info("ended", role="http")
