"""Seeding of large states: the write model by COPY, the views by the projector's own stores, and the audit afterwards.

`seed` feeds the stores directly, for benchmarks that only read. `seed_log` fills the write model and its outbox, and
the relay and the projector that run over them do the rest, as they would after any long stop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, LiteralString

import psycopg
from pymongo import MongoClient
from redis import Redis

from cheeper_audit import bootstrap as audit_bootstrap
from cheeper_audit.comparison.quiescence import NotQuiescentError, Quiescence
from cheeper_audit.settings import from_env
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.events import TOPIC_ID, NumberedEvent, Numbering, events, numbered_events
from cheeper_bench.environment.graph import Graph
from cheeper_bench.errors import BenchError
from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.cheep_posted import CheepPosted
from cheeper_contracts.events.new_author_signed import NewAuthorSigned
from cheeper_contracts.kafka import codec
from cheeper_contracts.partitions import PARTITIONS
from cheeper_contracts.views.generations import VERSIONS
from projector.consumer.projecting import item_of
from projector.fan_out.tasks import FanOutTasks
from projector.projections import projection_of
from projector.stores.base import Applied, Batch, Item, Store
from projector.stores.mongo.generations import MongoGenerations
from projector.stores.mongo.store import MongoStore
from projector.stores.redis.generations import RedisGenerations
from projector.stores.redis.scripts import RedisSettings
from projector.stores.redis.store import RedisStore

_BATCH: Final = 500
_DIGEST: Final = b"\0" * 32
_AUDIT_SECONDS: Final = 3600.0
_LOG_SECONDS: Final = 3600.0

_AUTHORS: Final[LiteralString] = """
    COPY authors (author_id, username, email, email_unique_form, signed_up_at) FROM STDIN
"""
_FOLLOWS: Final[LiteralString] = "COPY follows (follow_id, from_author_id, to_author_id, followed_at) FROM STDIN"
_CHEEPS: Final[LiteralString] = "COPY cheeps (cheep_id, author_id, message, cheep_date, post_digest) FROM STDIN"
_OUTBOX: Final[LiteralString] = """
    COPY outbox (message_id, type, source, "time", key, correlation_id, reply_to, payload) FROM STDIN
"""


def redis_store(url: str, prefix: str) -> RedisStore:
    """Return the projector's store with the settings that it has by default, registered as `projector run` does."""
    RedisGenerations(Redis.from_url(url), prefix).register(VERSIONS["redis"])
    return RedisStore(Redis.from_url(url), RedisSettings(prefix=prefix, inline_max=1_000, slice_size=1_000))


def mongo_store(url: str, database: str) -> MongoStore:
    """Return the projector's store, prepared, and registered as `projector run` does."""
    MongoGenerations(MongoClient(url), database).register(VERSIONS["mongo"])
    store = MongoStore(MongoClient(url), database)
    store.prepare()
    return store


def seed(environment: Environment, graph: Graph, env: Mapping[str, str]) -> None:
    """Seed write model and views of the graph, and audit them."""
    numbering = seed_hot_views(graph, env)
    copy_write_model(env["DATABASE_URL"], graph)
    _say_relayed(env["DATABASE_URL"], numbering)
    feed(mongo_store(env["MONGO_URL"], env["MONGO_DATABASE"]), numbered_events(graph, Numbering()))
    audit(environment, env)


def seed_hot_views(graph: Graph, env: Mapping[str, str]) -> Numbering:
    """Seed the views in Redis alone. Return the numbering; nothing exists to audit them against."""
    numbering = Numbering()
    store = redis_store(env["REDIS_URL"], env["REDIS_PREFIX"])
    feed(store, numbered_events(graph, numbering))
    serve_tasks(store)
    return numbering


def seed_log(environment: Environment, graph: Graph, env: Mapping[str, str], *, audited: bool = True) -> None:
    """Seed write model and outbox of the graph, wait for the relay and the projector, and audit the views if wanted."""
    copy_write_model(env["DATABASE_URL"], graph)
    copy_outbox(env["DATABASE_URL"], numbered_events(graph, Numbering()))
    wait_at_rest(env, _LOG_SECONDS)
    if audited:
        audit(environment, env)


def feed(store: Store, everything: Iterable[NumberedEvent]) -> None:
    """Apply events to a store as the consumer does, a batch of one partition after another."""
    project, waiting = projection_of(store.name), dict[int, list[Item]]()
    for one in everything:
        batch = waiting.setdefault(one.partition, [])
        batch.append(item_of(project, one.incoming()))
        if len(batch) == _BATCH:
            apply(store, one.partition, waiting.pop(one.partition))
    for partition, batch in waiting.items():
        apply(store, partition, batch)


def apply(store: Store, partition: int, items: Sequence[Item]) -> None:
    """Apply all of them, in as many calls as the store wants."""
    left = tuple(items)
    while left:
        [outcome] = store.apply([Batch(partition=partition, topic_id=TOPIC_ID, items=left)])
        if not isinstance(outcome, Applied):
            raise outcome
        left = left[outcome.used :]


def serve_tasks(store: RedisStore) -> None:
    """Serve all fan-out tasks and refills."""
    tasks, partitions = FanOutTasks(store.tasks), set(range(PARTITIONS))
    while tasks.step(partitions):
        pass


def copy_write_model(url: str, graph: Graph) -> None:
    """Copy the rows of the graph, table by table, so that a large graph's events are never held all at once."""
    with psycopg.connect(url) as connection:
        _copy(connection, _AUTHORS, (_author(e) for e in events(graph) if isinstance(e, NewAuthorSigned)))
        _copy(
            connection,
            _FOLLOWS,
            (
                (e.follow_id, e.from_author_id, e.to_author_id, e.followed_at)
                for e in events(graph)
                if isinstance(e, AuthorFollowed)
            ),
        )
        _copy(
            connection,
            _CHEEPS,
            (
                (e.cheep_id, e.author_id, e.message, e.cheep_date, _DIGEST)
                for e in events(graph)
                if isinstance(e, CheepPosted)
            ),
        )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) authors, follows, cheeps")


def copy_outbox(url: str, everything: Iterable[NumberedEvent]) -> None:
    """Copy the events to the outbox, in one transaction."""
    with psycopg.connect(url) as connection:
        _copy(connection, _OUTBOX, (outbox_row(one) for one in everything))


def outbox_row(one: NumberedEvent) -> tuple[Any, ...]:
    """Return a row of the outbox, in the order of its COPY."""
    e = one.envelope
    payload = codec.encode(one.event).decode()
    return (e.message_id, e.type, e.source, e.time, e.key, e.correlation_id, e.reply_to, payload)


def wait_at_rest(env: Mapping[str, str], seconds: float) -> None:
    """Wait until both stores have all effects of the write model. Raise BenchError if that takes longer."""
    with audit_bootstrap.stores(from_env(env)) as stores:
        try:
            Quiescence(stores, patience=seconds).compare(lambda: None)
        except NotQuiescentError as error:
            raise BenchError(str(error)) from None


def audit(environment: Environment, env: Mapping[str, str]) -> None:
    """Compare every view with the write model. Raise BenchError if one differs."""
    environment.run("cheeper_audit", "--patience", "60", env=env, seconds=_AUDIT_SECONDS)


def _author(event: NewAuthorSigned) -> tuple[Any, ...]:
    email = f"{event.username}@example.org"
    return (event.author_id, event.username, email, email, event.signed_up_at)


def _copy(connection: psycopg.Connection[Any], statement: LiteralString, rows: Iterator[tuple[Any, ...]]) -> None:
    with connection.cursor().copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _say_relayed(url: str, numbering: Numbering) -> None:
    """Write the relay's cursor as if it had sent everything."""
    with psycopg.connect(url) as connection:
        connection.execute(
            'INSERT INTO relay_partitions ("partition", topic_id, last_offset, last_sequence)'
            " SELECT p, %s, s - 1, s FROM unnest(%s::int[], %s::bigint[]) AS t (p, s)",
            (TOPIC_ID, list(numbering.last), list(numbering.last.values())),
        )
