"""GET /metrics of a read-api as it runs."""

from __future__ import annotations

import threading
import time
from functools import partial

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families
from read_api_layout import new_id
from read_api_process import running

from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import LIVE, prefix_of, registry_key
from cheeper_contracts.views.lag import LAG, OBJECTIVES, PERIOD_SECONDS, LagReport, lag_key, report_id
from cheeper_local.testing import until
from read_api.http.endpoints import ENDPOINTS
from read_api.ops import metrics


class Reports:
    """A projector's lag reports in both stores, repeated once a second as a projector does, so that a report stays
    fresh however long the rest of a test takes.
    """

    def __init__(self, hot, documents):
        self._hot, self._documents = hot, documents
        self._reported = {}
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._repeating = threading.Thread(target=self._repeat)

    def __enter__(self):
        self._forget()
        self._repeating.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._repeating.join()
        self._forget()

    def report(self, store, partition, *, age=0.0, messages=0, seconds=0.0, generation=1):
        """Report a partition, at all times by a report of that age."""
        name = report_id(generation, partition)
        with self._lock:
            self._reported[store, name] = age, messages, seconds
            self._write(store, name)

    def report_all(self, store, **values):
        """Report the same of each partition."""
        for partition in range(PARTITIONS):
            self.report(store, partition, **values)

    def spoil(self, store, partition):
        """Replace a report by one that cannot be read."""
        name = report_id(1, partition)
        with self._lock:
            del self._reported[store, name]
            if store == "redis":
                self._hot.client.hset(lag_key(self._hot.prefix), name, "{}")
            else:
                self._documents.database[LAG].replace_one({"_id": name}, {"messages": "many"})

    def _repeat(self):
        while not self._ended.wait(PERIOD_SECONDS):
            with self._lock:
                for store, name in self._reported:
                    self._write(store, name)

    def _write(self, store, name):
        age, messages, seconds = self._reported[store, name]
        report = LagReport(told_at=time.time() - age, messages=messages, seconds=seconds)
        if store == "redis":
            self._hot.client.hset(lag_key(self._hot.prefix), name, msgspec.json.encode(report))
        else:
            document = msgspec.structs.asdict(report)
            self._documents.database[LAG].replace_one({"_id": name}, document, upsert=True)

    def _forget(self):
        self._hot.client.delete(lag_key(self._hot.prefix))
        self._documents.database.drop_collection(LAG)


@pytest.fixture
def reports(shared_hot, shared_documents):
    """The reports, removed afterwards."""
    with Reports(shared_hot, shared_documents) as made:
        yield made


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


class Scrape(dict):
    """The samples of one response: {(name, labels as pairs): value}."""

    def __init__(self, client):
        response = client.get("/metrics")
        assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
        self.names = set()
        for family in text_string_to_metric_families(response.text):
            for sample in family.samples:
                self.names.add(sample.name)
                self[sample.name, frozenset(sample.labels.items())] = sample.value

    def of(self, declared, *values, suffix="", **more):
        """Return the value of the series with these labels, or 0 if it does not exist."""
        labels = {**dict(zip(declared.labels, values, strict=True)), **more}
        return self.get((declared.name + suffix, frozenset(labels.items())), 0)

    def one(self, declared, *values):
        """The value of a series that has to be there."""
        return self[declared.name, frozenset(zip(declared.labels, values, strict=True))]

    def values_of(self, declared, label):
        """The values that a label has in any series."""
        return {dict(labels)[label] for name, labels in self if name == declared.name}


def test_every_declared_metric_is_exposed_and_parses(log, stores, shared_hot, shared_documents, reports):
    """Each declared metric is exposed: requests, seconds, waits by outcome, and each store's sequences and lag."""
    author, settled = new_id(), new_id()
    shared_hot.author(author, username="bob")
    shared_hot.command(settled, key=author, sequence=1)
    shared_hot.client.hset(shared_hot.key(views.CHECKPOINT, 3), "sequence", 17)
    shared_documents.database[views.CHECKPOINTS.name].replace_one({"_id": 5}, {"sequence": 9}, upsert=True)
    counter = f"/author/{author}/followers-counter"
    reports.report("redis", 3, messages=2, seconds=0.5)
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
        assert seen.of(metrics.REQUEST_SECONDS, "FollowersCounter", "false", suffix="_count") == 4
        with_after = partial(seen.of, metrics.REQUEST_SECONDS, "FollowersCounter", "true")
        assert with_after(suffix="_count") == with_after(suffix="_bucket", le="+Inf") == 2
        assert with_after(suffix="_bucket", le="0.05") < 2
        assert with_after(suffix="_sum") >= 0.1
        assert seen.of(metrics.WAITS, "stale") == 1
        assert seen.of(metrics.APPLIED_SEQUENCE, "redis", "1", "3") == 17
        assert seen.of(metrics.APPLIED_SEQUENCE, "mongo", "1", "5") == 9
        exposed = {name.removesuffix("_bucket") for name in seen.names}
        without = {metrics.STORE_UNAVAILABLE, metrics.STREAMS_ENDED, *metrics.RATE_LIMITS.all()}
        assert {each.name for each in metrics.DECLARED} - {each.name for each in without} <= exposed


def test_a_wait_is_exposed_while_it_lasts_and_when_it_is_settled(log, stores, shared_hot):
    """Waiting is 1 meanwhile and 0 after, and settled is one more; a client that disconnects is counted as gone."""
    author, message = new_id(), new_id()
    shared_hot.author(author, username="bob")
    with running(log, **stores) as (client, _):
        path = f"/author/{author}/followers-counter"
        responses = []

        def wait():
            with httpx.Client(base_url=client.base_url, timeout=60) as other:
                responses.append(other.get(path, params={"after": message, "timeout": "10"}))

        waiting = threading.Thread(target=wait)
        waiting.start()
        until(lambda: Scrape(client).of(metrics.WAITING) == 1)
        shared_hot.command(message, key=author, sequence=1)
        waiting.join(60)
        assert "stale" not in responses[0].json()["meta"]
        seen = Scrape(client)
        assert (seen.of(metrics.WAITING), seen.of(metrics.WAITS, "settled")) == (0, 1)
        with pytest.raises(httpx.ReadTimeout):
            client.get(path, params={"after": new_id(), "timeout": "10"}, timeout=0.3)
        until(lambda: Scrape(client).of(metrics.WAITS, "disconnected") == 1)


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


def test_an_unavailable_store_is_counted_and_exposes_no_sequences(log, own_redis, own_mongo):
    """Its sequences are absent, not old or 0; the other's are there, and the page is served."""
    with running(log, REDIS_URL=own_redis.url, MONGO_URL=own_mongo.url) as (client, _):
        until(lambda: client.get("/health/ready").status_code == 200)
        assert Scrape(client).values_of(metrics.APPLIED_SEQUENCE, "store") == {"redis", "mongo"}
        own_redis.stop()
        assert client.get(f"/author/{new_id()}/timeline").status_code == 503
        seen = Scrape(client)
        assert seen.values_of(metrics.APPLIED_SEQUENCE, "store") == {"mongo"}
        assert (seen.of(metrics.STORE_UNAVAILABLE, "redis"), seen.of(metrics.STORE_UNAVAILABLE, "mongo")) == (1, 0)
        assert seen.of(metrics.REQUESTS, "Timeline", "503") == 1


def test_the_live_generation_is_exposed(log, stores, shared_hot):
    """By its number, with its own checkpoints."""
    prefix = shared_hot.prefix
    shared_hot.client.hset(registry_key(prefix), LIVE, 2)
    shared_hot.client.hset(views.CHECKPOINT.key(prefix_of(prefix, 2), 1), "sequence", 23)
    try:
        with running(log, **stores) as (client, _):
            assert Scrape(client).of(metrics.APPLIED_SEQUENCE, "redis", "2", "1") == 23
    finally:
        shared_hot.client.delete(registry_key(prefix))


@pytest.mark.parametrize("over", [-0.01, 0.01], ids=["within", "beyond"])
@pytest.mark.parametrize("store", ["redis", "mongo"])
@pytest.mark.variants("store")
def test_lag_is_as_the_projector_reports_it_for_each_partition(log, stores, reports, store, over):
    """Messages and seconds by partition, late where the worst is beyond a view's objective; of that store alone."""
    other, objectives = "mongo" if store == "redis" else "redis", OBJECTIVES[store]
    seconds = max(objectives.values()) + over
    with running(log, **stores) as (client, _):
        for each in OBJECTIVES:
            reports.report_all(each)
        reports.report(store, 2, messages=7, seconds=seconds)
        seen = Scrape(client)
    assert seen.one(metrics.LAG_MESSAGES, store, "1", "2") == 7
    assert seen.one(metrics.LAG_SECONDS, store, "1", "2") == seconds
    assert seen.one(metrics.LAG_SECONDS, store, "1", "3") == 0
    for view, objective in objectives.items():
        assert seen.one(metrics.OBJECTIVE_SECONDS, store, view) == objective
        assert seen.one(metrics.OBJECTIVE_MISSED, store, "1", view) == (seconds > objective), view
    assert {seen.one(metrics.OBJECTIVE_MISSED, other, "1", view) for view in OBJECTIVES[other]} == {0}


@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_a_projector_that_is_silent_is_late(log, stores, reports, store):
    """The lag counts from its last report, and adds to that; how many messages there are now is not known."""
    with running(log, **stores) as (client, _):
        reports.report_all(store, age=60, seconds=1.0)
        seen = Scrape(client)
    assert 61 <= seen.one(metrics.LAG_SECONDS, store, "1", "0") < 120
    assert {seen.one(metrics.OBJECTIVE_MISSED, store, "1", view) for view in OBJECTIVES[store]} == {1}
    assert store not in seen.values_of(metrics.LAG_MESSAGES, "store")


@pytest.mark.variants
@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_a_partition_without_a_report_is_late_before_long(log, stores, reports, store):
    """Without a report of each partition the lag grows, so a missing projector makes views miss their objectives."""
    with running(log, **stores) as (client, _):
        for partition in range(1, PARTITIONS):
            reports.report(store, partition)
        until(lambda: Scrape(client).one(metrics.LAG_SECONDS, store, "1", "0") > max(OBJECTIVES[store].values()))
        seen = Scrape(client)
    assert {seen.one(metrics.OBJECTIVE_MISSED, store, "1", view) for view in OBJECTIVES[store]} == {1}


@pytest.mark.parametrize("store", ["redis", "mongo"])
def test_a_report_that_cannot_be_read_is_none(log, stores, reports, store):
    """All else is exposed, of that store too: a page that failed would hide what is wrong."""
    with running(log, **stores) as (client, _):
        reports.report_all(store, seconds=0.5)
        reports.spoil(store, 3)
        seen = Scrape(client)
    assert seen.one(metrics.LAG_SECONDS, store, "1", "3") == 0  # since this look, the first one
    assert seen.one(metrics.LAG_SECONDS, store, "1", "4") == 0.5
    assert seen.values_of(metrics.APPLIED_SEQUENCE, "store") == {"redis", "mongo"}


def test_lag_of_another_generation_misses_no_objective(log, stores, reports):
    """A rebuild begins at the log's first message, and readers see nothing of it."""
    with running(log, **stores) as (client, _):
        for store in OBJECTIVES:
            reports.report_all(store)
            reports.report_all(store, seconds=500.0, generation=2)
        seen = Scrape(client)
    late = {
        seen.one(metrics.OBJECTIVE_MISSED, store, "1", view) for store, views in OBJECTIVES.items() for view in views
    }
    assert late == {0}


@pytest.mark.usefixtures("reports")
def test_a_hash_of_another_type_hides_the_lag_alone(log, stores, shared_hot):
    """The applied sequences are exposed all the same."""
    shared_hot.client.set(lag_key(shared_hot.prefix), "no hash")
    with running(log, **stores) as (client, _):
        seen = Scrape(client)
    assert "redis" in seen.values_of(metrics.APPLIED_SEQUENCE, "store")
    assert "redis" not in seen.values_of(metrics.LAG_MESSAGES, "store")
