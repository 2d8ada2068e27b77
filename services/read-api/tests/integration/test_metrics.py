"""GET /metrics of a read-api as it runs."""

from __future__ import annotations

import threading

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from read_api_layout import new_id
from read_api_process import running

from cheeper_contracts import views
from cheeper_contracts.generations import LIVE, prefix_of, registry_key
from cheeper_contracts.topics import PARTITIONS
from cheeper_local.testing import until
from read_api import metrics
from read_api.http.endpoints import ENDPOINTS
from read_api.stores import applied


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


class Scrape(dict):
    """The samples of one answer: {(name, labels as pairs): value}."""

    def __init__(self, client):
        answer = client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        self.names = set()
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                self.names.add(sample.name)
                self[sample.name, frozenset(sample.labels.items())] = sample.value

    def of(self, declared, *values, suffix="", **more):
        """The value of the series with these values of the declared labels; 0 where there is none."""
        labels = {**dict(zip(declared.labels, values, strict=True)), **more}
        return self.get((declared.name + suffix, frozenset(labels.items())), 0)

    def values_of(self, declared, label):
        """The values that a label has in any series."""
        return {dict(labels)[label] for name, labels in self if name == declared.name}


def test_every_declared_metric_is_told_and_parses(log, stores, shared_hot, shared_documents):
    """Requests by query and status, their seconds, waits by how they ended, and how far each store is."""
    author, settled = new_id(), new_id()
    shared_hot.author(author, username="bob")
    shared_hot.command(settled, key=author, sequence=1)
    shared_hot.client.hset(shared_hot.key(views.CHECKPOINT, 3), "sequence", 17)
    shared_documents.database[views.CHECKPOINTS.name].replace_one({"_id": 5}, {"sequence": 9}, upsert=True)
    counter = f"/author/{author}/followers-counter"
    with running(log, **stores) as (client, _):
        assert [client.get(counter).status_code for _ in range(3)] == [200] * 3
        client.get(counter, params={"after": new_id(), "timeout": "0.1"})
        client.get(counter, params={"after": settled})
        client.head(f"/author/{new_id()}/timeline")
        client.get(f"/author/{new_id()}")
        client.get("/nothing/here")
        client.post(counter)
        seen = Scrape(client)
        assert seen.of(metrics.REQUESTS, "FollowersCounter", "200") == 5
        assert seen.of(metrics.REQUESTS, "Timeline", "200") == 1
        assert seen.of(metrics.REQUESTS, "Author", "404") == 1
        assert seen.of(metrics.REQUESTS, metrics.NO_QUERY, "404") == 1
        assert seen.of(metrics.REQUESTS, "FollowersCounter", "405") == 1
        assert seen.of(metrics.SECONDS, "FollowersCounter", suffix="_count") == 6
        assert seen.of(metrics.SECONDS, "FollowersCounter", suffix="_bucket", le="+Inf") == 6
        assert seen.of(metrics.SECONDS, "FollowersCounter", suffix="_bucket", le="0.05") < 6
        assert seen.of(metrics.SECONDS, "FollowersCounter", suffix="_sum") >= 0.1
        assert seen.of(metrics.WAITS, "stale") == 1
        assert seen.of(metrics.SEQUENCE, "redis", "1", "3") == 17
        assert seen.of(metrics.SEQUENCE, "mongo", "1", "5") == 9
        assert applied.PARTITIONS == PARTITIONS
        told = {name.removesuffix("_bucket") for name in seen.names}
        assert {each.name for each in metrics.DECLARED} - {metrics.AWAY.name} <= told


def test_a_wait_is_told_while_it_lasts_and_when_it_is_settled(log, stores, shared_hot):
    """Waiting is 1 meanwhile and 0 after, and settled is one more; a client that leaves is told as gone."""
    author, message = new_id(), new_id()
    shared_hot.author(author, username="bob")
    with running(log, **stores) as (client, _):
        path = f"/author/{author}/followers-counter"
        answers = []

        def wait():
            with httpx.Client(base_url=client.base_url, timeout=20) as other:
                answers.append(other.get(path, params={"after": message, "timeout": "10"}))

        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: Scrape(client).of(metrics.WAITING) == 1, 8)
        shared_hot.command(message, key=author, sequence=1)
        waiting.join(20)
        assert "stale" not in answers[0].json()["meta"]
        seen = Scrape(client)
        assert (seen.of(metrics.WAITING), seen.of(metrics.WAITS, "settled")) == (0, 1)
        with pytest.raises(httpx.ReadTimeout):
            client.get(path, params={"after": new_id(), "timeout": "10"}, timeout=0.3)
        until(lambda: Scrape(client).of(metrics.WAITS, "gone") == 1, 8)


def test_what_clients_send_makes_no_series(log, stores):
    """Ids, paths and methods of any number leave as many series as there are queries and statuses."""
    with running(log, **stores) as (client, _):
        for _ in range(3):
            for number in range(20):
                client.get(f"/author/{new_id()}/timeline")
                client.get(f"/{new_id()}/{number}")
                client.request(f"M{number}", f"/cheep/{new_id()}")
            series = len(Scrape(client))
        queries = Scrape(client).values_of(metrics.REQUESTS, "query")
        assert queries <= {each.query.__name__ for each in ENDPOINTS} | {metrics.NO_QUERY}
        assert len(Scrape(client)) == series


def test_a_store_that_is_away_is_counted_and_tells_nothing(log, own_redis, own_mongo):
    """Its sequences are absent, not old or 0; the other's are there, and the page is answered."""
    with running(log, REDIS_URL=own_redis.url, MONGO_URL=own_mongo.url) as (client, _):
        until(lambda: client.get("/health/ready").status_code == 200, 20)
        assert Scrape(client).values_of(metrics.SEQUENCE, "store") == {"redis", "mongo"}
        own_redis.stop()
        assert client.get(f"/author/{new_id()}/timeline").status_code == 503
        seen = Scrape(client)
        assert seen.values_of(metrics.SEQUENCE, "store") == {"mongo"}
        assert (seen.of(metrics.AWAY, "redis"), seen.of(metrics.AWAY, "mongo")) == (1, 0)
        assert seen.of(metrics.REQUESTS, "Timeline", "503") == 1


def test_the_live_generation_is_told(log, stores, shared_hot):
    """By its number, with its own checkpoints."""
    prefix = shared_hot.prefix
    shared_hot.client.hset(registry_key(prefix), LIVE, 2)
    shared_hot.client.hset(views.CHECKPOINT.key(prefix_of(prefix, 2), 1), "sequence", 23)
    try:
        with running(log, **stores) as (client, _):
            assert Scrape(client).of(metrics.SEQUENCE, "redis", "2", "1") == 23
    finally:
        shared_hot.client.delete(registry_key(prefix))
