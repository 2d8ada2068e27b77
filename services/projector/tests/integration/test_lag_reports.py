"""Lag reports in the real stores."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import pytest
import redis as redis_client
from pymongo import MongoClient

from cheeper_contracts.lag import LAG, LagReport, lag_key, report_id
from projector.stores import StoreAwayError
from projector.stores.mongo.lag import MongoLagReports
from projector.stores.redis.lag import RedisLagReports


def report(seconds):
    return LagReport(told_at=1_000.25, messages=None if seconds else 0, seconds=seconds)


@pytest.fixture(params=["redis", "mongo"])
def kept(request):
    """Each store in turn: `reports`, and `all` of what is read there."""
    if request.param == "redis":
        prefix = request.getfixturevalue("redis_prefix")
        client = redis_client.Redis.from_url(request.getfixturevalue("redis_url"))

        def fields():
            found = client.hgetall(lag_key(prefix))
            return {name.decode(): msgspec.json.decode(text, type=LagReport) for name, text in found.items()}

        yield SimpleNamespace(reports=RedisLagReports(client, prefix), all=fields)
    else:
        database = request.getfixturevalue("mongo_database")
        client = MongoClient(request.getfixturevalue("mongo_url"))

        def documents():
            found = client[database][LAG].find()
            return {each["_id"]: msgspec.convert(each, LagReport) for each in found}

        yield SimpleNamespace(reports=MongoLagReports(client, database), all=documents)
    client.close()


def test_the_newest_report_of_each_partition_stands(kept):
    """Others' partitions and generations keep theirs, whoever told of them."""
    first, second, other = report_id(1, 3), report_id(1, 12), report_id(12, 3)
    kept.reports.tell({first: report(0.0), second: report(1.5)})
    kept.reports.tell({other: report(7.0)})
    kept.reports.tell({first: report(0.25)})
    assert kept.all() == {first: report(0.25), second: report(1.5), other: report(7.0)}


def test_a_store_that_is_away_is_a_fault_that_passes(own_redis, own_mongo, redis_prefix, mongo_database):
    """So that the next second tries again."""
    redis = redis_client.Redis.from_url(own_redis.url)
    mongo = MongoClient(own_mongo.url, serverSelectionTimeoutMS=500)
    own_redis.stop()
    own_mongo.stop()
    for reports in (RedisLagReports(redis, redis_prefix), MongoLagReports(mongo, mongo_database)):
        with pytest.raises(StoreAwayError):
            reports.tell({report_id(1, 0): report(0.0)})
        reports.close()
