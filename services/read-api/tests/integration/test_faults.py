"""Faults that pass, told by the servers themselves: a query is unavailable, readiness false, and all is well after."""

import pytest

from cheeper_contracts import views
from cheeper_local.faulty_mongo import MongoFaults
from cheeper_local.faulty_redis import RedisFaults
from cheeper_local.testing import eventually
from read_api.http.health import Readiness
from read_api.query_bus.query import StoreAwayError
from read_api.stores.mongo import reader
from read_api.stores.redis import reader as redis_stores

pytestmark = pytest.mark.proves(guarantee="transient-faults")

REDIS = ["without its primary", "busy", "wants a password", "refuses commands", "too many clients", "frozen"]
MONGO = {
    "no primary": 10107,
    "refuses the login": 18,
    "refuses commands": 13,
    "shuts down": 11600,
    "interrupted": 11601,
}
MONGO |= {"full": 14031, "its quota is used up": 8000}
AUTHOR = "00000000-0000-7000-8000-000000000001"


async def fails(asking):
    """Whether the query is unavailable; any other error is the test's failure."""
    try:
        await asking()
    except StoreAwayError:
        return True
    return False


async def answers(asking):
    return not await fails(asking)


@pytest.mark.parametrize("name", REDIS)
async def test_redis_that_refuses_for_now_is_away(own_redis, name):
    """Whatever Redis answers while it cannot or will not serve, the query may be asked again, and it is no defect."""
    faults, client = RedisFaults(own_redis), redis_stores.connect(own_redis.url)
    hot = redis_stores.RedisViews(client, "")

    async def asking():
        await hot.followers(AUTHOR, after=None)

    readiness = Readiness({"redis": hot.ping})
    await asking()
    with faults.names[name]():
        await eventually(lambda: fails(asking), 20)
        need = (await readiness.check())["redis"]
        assert not need.ok
        assert "127.0.0.1" not in need.why
    await eventually(lambda: answers(asking), 20)
    assert (await readiness.check())["redis"].ok
    await client.aclose()
    faults.close()


@pytest.mark.parametrize("name", MONGO)
async def test_mongo_that_refuses_for_now_is_away(own_mongo, name):
    """Whatever MongoDB answers while it cannot or will not serve, the query may be asked again; readiness tells."""
    faults, client = MongoFaults(own_mongo, "read-api"), reader.connect(own_mongo.url)
    documents = reader.Reader(client, "views")

    async def asking():
        await documents.one(views.AUTHORS, {"_id": AUTHOR}, after=None)

    readiness = Readiness({"mongo": documents.ping})
    await asking()
    with faults.failing(MONGO[name], ["find", "aggregate"]):
        assert await fails(asking)
        need = (await readiness.check())["mongo"]
        assert not need.ok
        assert "127.0.0.1" not in need.why
    await eventually(lambda: answers(asking), 20)
    assert (await readiness.check())["mongo"].ok
    await client.close()
    faults.close()
