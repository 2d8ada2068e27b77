"""Lag reports in the real stores."""

from __future__ import annotations

import time
from types import SimpleNamespace

import msgspec
import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_contracts.views.lag import LAG, Lag, LagReport, lag_key, report_id
from projector.stores.base import StoreUnavailableError
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.lag import MongoLagReports
from projector.stores.redis.generations import RedisGenerations
from projector.stores.redis.lag import RedisLagReports

VERSION = 1


@pytest.fixture(params=["redis", "mongo"])
def kept(request):
    """Each store in turn: `reports`, `generations`, and `all` of what is read there."""
    if request.param == "redis":
        prefix = request.getfixturevalue("redis_prefix")
        client = redis_client.Redis.from_url(request.getfixturevalue("redis_url"))

        def fields():
            found = client.hgetall(lag_key(prefix))
            return {name.decode(): msgspec.json.decode(text, type=LagReport) for name, text in found.items()}

        yield SimpleNamespace(
            reports=RedisLagReports(client, prefix), generations=RedisGenerations(client, prefix), all=fields
        )
    else:
        database = request.getfixturevalue("mongo_database")
        client = MongoClient(request.getfixturevalue("mongo_url"))

        def documents():
            found = client[database][LAG].find()
            return {each["_id"]: msgspec.convert(each, LagReport) for each in found}

        yield SimpleNamespace(
            reports=MongoLagReports(client, database), generations=MongoGenerations(client, database), all=documents
        )
    client.close()


def lags(kept):
    """Return the reports at the time at which they were made."""
    return {name: each.at(each.told_at) for name, each in kept.all().items()}


def test_the_newest_report_of_each_partition_is_kept(kept):
    """Other partitions and generations keep their reports; each report has the store's time."""
    first, second, other = report_id(1, 3), report_id(1, 12), report_id(12, 3)
    before = time.time()
    kept.reports.write({first: Lag(0, 0.0), second: Lag(2, 1.5)})
    kept.reports.write({other: Lag(None, 7.0)})
    kept.reports.write({first: Lag(1, 0.25)})
    assert lags(kept) == {first: Lag(1, 0.25), second: Lag(2, 1.5), other: Lag(None, 7.0)}
    assert all(before - 1 <= each.told_at <= time.time() + 1 for each in kept.all().values())


def test_reports_of_a_forgotten_generation_are_deleted_with_it(kept):
    """Of the others it stays."""
    kept.generations.register(VERSION)
    doomed = kept.generations.create(VERSION).number
    kept.reports.write({report_id(1, 3): Lag(0, 0.0), report_id(doomed, 3): Lag(9, 90.0)})
    kept.generations.forget(doomed)
    kept.generations.remove(doomed)
    assert kept.all().keys() == {report_id(1, 3)}


def test_an_unavailable_store_is_a_fault_that_passes(own_redis, own_mongo, redis_prefix, mongo_database):
    """The next second tries again."""
    redis = redis_client.Redis.from_url(own_redis.url)
    mongo = MongoClient(own_mongo.url, serverSelectionTimeoutMS=500)
    own_redis.stop()
    own_mongo.stop()
    for reports in (RedisLagReports(redis, redis_prefix), MongoLagReports(mongo, mongo_database)):
        with pytest.raises(StoreUnavailableError):
            reports.write({report_id(1, 0): Lag(0, 0.0)})
        reports.close()
