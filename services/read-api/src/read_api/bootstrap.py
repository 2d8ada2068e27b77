"""Puts the process together: the one place that knows the queries, the stores and the HTTP side at once."""

from __future__ import annotations

import structlog

from read_api.http.app import build_app
from read_api.http.health import Readiness
from read_api.http.server import serve
from read_api.queries.author import Author, ShowAuthor
from read_api.queries.bus import QueryBus
from read_api.queries.cheep import Cheep, ShowCheep
from read_api.queries.followers_counter import CountFollowers, FollowersCounter
from read_api.queries.timeline import ShowTimeline, Timeline
from read_api.queries.waiting import Waiter
from read_api.settings import Settings
from read_api.stores import mongo, redis

log = structlog.get_logger()


def query_bus(hot: redis.RedisViews, documents: mongo.MongoViews) -> QueryBus:
    """The table from query to handler, with one waiter for each view."""
    in_documents = Waiter(documents.settled)
    return QueryBus(
        {
            FollowersCounter: CountFollowers(hot, Waiter(hot.settled_in_counters)),
            Timeline: ShowTimeline(hot, Waiter(hot.settled_in_timelines)),
            Cheep: ShowCheep(documents, in_documents),
            Author: ShowAuthor(documents, in_documents),
        }
    )


async def run_http(settings: Settings) -> None:
    """Run the HTTP role until it is told to end."""
    redis_client = redis.connect(settings.redis_url)
    mongo_client = mongo.connect(settings.mongo_url)
    hot = redis.RedisViews(redis_client, settings.redis_prefix)
    documents = mongo.MongoViews(mongo_client, settings.mongo_database)
    bus = query_bus(hot, documents)

    async def close() -> None:
        await redis_client.aclose()
        await redis_client.connection_pool.disconnect()
        await mongo_client.close()

    app = build_app(bus, Readiness({"redis": hot.ping, "mongo": documents.ping}), close)
    log.info("starting", role="http", host=settings.host, port=settings.port)
    await serve(app, settings.host, settings.port, bus.close)
    log.info("ended", role="http")
