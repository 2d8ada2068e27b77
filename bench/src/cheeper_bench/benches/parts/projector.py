"""The projector end to end: events of a log in Kafka, applied to both stores, with a fan-out of one.

- *projector*: a process as it runs in the stack, with empty stores, from the log's beginning until the checkpoints of
  both stores are at its end. Every event answers a command, so each store keeps that command's record as well.
- *decoding only*: confluent-kafka's `consume` and the same codec, in a loop that does nothing with what it decoded.

Fair, since both have one core for their process, and the broker and the stores have the other. The loop reads the log
once, the projector once for each store. Redis keeps its append-only file, MongoDB confirms by majority.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

import msgspec
from pymongo import MongoClient
from redis import Redis

from cheeper_bench.baselines import loops
from cheeper_bench.environment import kafka_feed
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.events import Numbering, events, time_of
from cheeper_bench.environment.graph import Graph
from cheeper_bench.measuring.bench import Bench, Figures, Length, Reach, Sides
from cheeper_bench.measuring.progress import drained
from cheeper_contracts import views
from cheeper_contracts.partitions import PARTITIONS

_AUTHORS: Final = 200
_PREFIX: Final = "p."
_CHEEPS: Final[dict[Length, int]] = {"tiny": 200, "guard": 3_000, "short": 10_000, "long": 60_000}
_SECONDS: Final = 300


@contextmanager
def _open(environment: Environment, length: Length) -> Iterator[Sides]:
    cheeps = _CHEEPS[length]
    graph = Graph(
        name="each author has one follower",
        authors=_AUTHORS,
        follows=tuple((author, (author + 1) % _AUTHORS) for author in range(_AUTHORS)),
        cheeps=tuple(
            (number % _AUTHORS, f"cheep number {number}, about as long as most are") for number in range(cheeps)
        ),
    )
    numbering = Numbering()
    env = environment.variables(prefix=_PREFIX)
    kafka_feed.make_topics(environment.kafka.url, _PREFIX)
    log = [
        numbering.number(event, graph.id_of("message", at), time_of(event), reply_to=graph.id_of("command", at))
        for at, event in enumerate(events(graph))
    ]
    kafka_feed.send_events(environment.kafka.url, _PREFIX, log)
    runs = count(1)

    def projector() -> Figures:
        name = f"run{next(runs)}"
        own = {**env, "REDIS_PREFIX": f"{name}:", "MONGO_DATABASE": name}
        with environment.start("projector", "run", env=own) as process:
            found = drained(_least(own), len(log), check=process.check, cost=lambda: process.cpu_seconds)
        _forget(own)
        return {"events/s": found.rate, "CPU s/million": found.cost * 1e6 / found.messages}

    def decoding() -> Figures:
        process = environment.start("cheeper_bench.baselines.loops", "decode", str(len(log)), env=env)
        process.wait(_SECONDS)
        done = msgspec.json.decode(process.last_words(), type=loops.Done)
        return {"events/s": done.messages / done.seconds}

    yield {"projector": projector, "decoding only": decoding}


def _least(env: dict[str, str]) -> Callable[[], int]:
    """Return the number of events in the store that has fewer."""
    redis = Redis.from_url(env["REDIS_URL"])
    checkpoints = MongoClient[dict[str, Any]](env["MONGO_URL"])[env["MONGO_DATABASE"]][views.CHECKPOINTS.name]

    def done() -> int:
        with redis.pipeline(transaction=False) as pipe:
            for partition in range(PARTITIONS):
                pipe.hget(views.CHECKPOINT.key(env["REDIS_PREFIX"], partition), "sequence")
            hot = sum(int(sequence or 0) for sequence in pipe.execute())
        documents = sum(int(found["sequence"]) for found in checkpoints.find())
        return min(hot, documents)

    return done


def _forget(env: dict[str, str]) -> None:
    with Redis.from_url(env["REDIS_URL"]) as redis, MongoClient[dict[str, Any]](env["MONGO_URL"]) as mongo:
        redis.flushdb()
        mongo.drop_database(env["MONGO_DATABASE"])


BENCH: Final = Bench(
    name="projector",
    title="Projector, from Kafka to both stores",
    open=_open,
    lengths=("tiny", "short", "guard"),
    warm_up=False,
    reaches=(
        Reach(label="over decoding only", side="projector", figure="events/s", over="decoding only", wanted=0.15),
    ),
)
