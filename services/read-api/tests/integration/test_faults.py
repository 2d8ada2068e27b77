"""Transient faults that the servers report: the query is unavailable, readiness is false, and both recover."""

import pytest

from cheeper_contracts import views
from cheeper_local.testing import eventually
from cheeper_local.testing.faults.mongo import MongoFaults
from cheeper_local.testing.faults.redis import RedisFaults
from cheeper_runtime.readiness.checks import check
from cheeper_runtime.readiness.needs import Readiness
from read_api.bootstrap import store_check
from read_api.query_bus.query import StoreUnavailableError
from read_api.stores.mongo import reader
from read_api.stores.redis import reader as redis_stores

pytestmark = [pytest.mark.proves(guarantee="transient-faults"), pytest.mark.variants]

REDIS = ["without its primary", "busy", "wants a password", "refuses commands", "too many clients", "frozen"]
MONGO = {
    "no primary": 10107,
    "refuses the login": 18,
    "refuses commands": 13,
    "shuts down": 11600,
    "interrupted": 11601,
}
MONGO |= {"full": 14031, "its quota is used up": 8000}
REASONS = ("does not answer", "no answer within 2 s")
"""Neither names a host. The check and the store have the same time-out, so either may end first."""
REFUSED = ("does not answer: it refuses the user or the password",)
AUTHOR = "00000000-0000-7000-8000-000000000001"


async def fails(asking):
    """Return whether the query is unavailable. Any other error fails the test."""
    try:
        await asking()
    except StoreUnavailableError:
        return True
    return False


async def works(asking):
    return not await fails(asking)


@pytest.mark.parametrize("name", REDIS)
async def test_redis_that_refuses_commands_is_unavailable(own_redis, name):
    """Any error of a Redis that does not serve makes the query unavailable and is no defect."""
    faults, client = RedisFaults(own_redis), redis_stores.connect(own_redis.url)
    hot = redis_stores.RedisViews(client, "")

    async def asking():
        await hot.followers(AUTHOR, after=None)

    readiness, checks = Readiness("redis"), {"redis": store_check(hot.ping)}
    await asking()
    with faults.names[name]():
        await eventually(lambda: fails(asking))
        await check(readiness, checks)
        assert readiness.reason("redis") in (REFUSED if name == "wants a password" else REASONS)
    await eventually(lambda: works(asking))
    await check(readiness, checks)
    assert readiness.reason("redis") is None
    hot.close()
    await client.aclose()
    faults.close()


@pytest.mark.parametrize("name", MONGO)
async def test_mongo_that_refuses_commands_is_unavailable(own_mongo, name):
    """Any error of a MongoDB that does not serve makes the query unavailable, and readiness false."""
    faults, client = MongoFaults(own_mongo, "read-api"), reader.connect(own_mongo.url)
    documents = reader.Reader(client, "views")

    async def asking():
        await documents.one(views.AUTHORS, {"_id": AUTHOR}, after=None)

    readiness, checks = Readiness("mongo"), {"mongo": store_check(documents.ping)}
    await asking()
    with faults.failing(MONGO[name], ["find", "aggregate"]):
        assert await fails(asking)
        await check(readiness, checks)
        assert readiness.reason("mongo") in (REFUSED if name == "refuses the login" else REASONS)
    await eventually(lambda: works(asking))
    await check(readiness, checks)
    assert readiness.reason("mongo") is None
    await client.close()
    faults.close()
