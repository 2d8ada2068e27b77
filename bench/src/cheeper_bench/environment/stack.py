"""The whole stack as its users run it, one process a role behind the gateway, with a graph in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
import psycopg

from cheeper_bench.environment import durable, kafka_feed, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.errors import NotDurableError
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_local.running import RunningStack

_PROCESS_MANAGER: Final = "process-manager"
_GROUP: Final = "cheeper.process-manager"


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A stack that runs: the gateway's port, the environment of its processes, and the graph in it."""

    stack: RunningStack
    port: int
    env: dict[str, str]
    graph: Graph

    def handled(self) -> int:
        """Return the number of commands that have an outcome."""
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT count(outcome) FROM handled_commands").fetchone()
        return int(row[0]) if row else 0

    def settle(self, seconds: float) -> None:
        """Wait until the views have all effects of the write model. Raise BenchError if that takes longer."""
        seeding.wait_at_rest(self.env, seconds)


@contextmanager
def whole(environment: Environment, graph: Graph, *, audited: bool = True) -> Iterator[Whole]:
    """Run a stack with that graph. Raise NotDurableError."""
    folder = Path(environment.folder) / "stack"
    folder.mkdir()
    folder.chmod(0o755)  # PostgreSQL runs as another user where this runs as root
    with RunningStack.start(folder, environment={"BROKER": "kafka"}) as stack:
        env = stack.environment
        _check(stack, env)
        # The process managers would send a command for each seeded follow, so they begin behind it.
        stack.stop_process(_PROCESS_MANAGER)
        seeding.seed_log(environment, graph, env, audited=audited)
        kafka_feed.skip_to_end(
            env["KAFKA_BOOTSTRAP_SERVERS"], EVENTS.named(env["TOPIC_PREFIX"]), env["TOPIC_PREFIX"] + _GROUP
        )
        stack.start_process(_PROCESS_MANAGER)
        stack.wait_ready()
        yield Whole(stack=stack, port=urlsplit(stack.gateway).port or 80, env=env, graph=graph)


def _check(stack: RunningStack, env: dict[str, str]) -> None:
    if stack.broker != "kafka":
        raise NotDurableError(f"The broker {stack.broker} keeps nothing on disk: nothing is counted.")
    durable.check_postgres(env["DATABASE_URL"])
    durable.check_redis(env["REDIS_URL"])
    durable.check_mongo(env["MONGO_URL"])
    for topic in (COMMANDS, EVENTS):
        durable.check_topic(env["KAFKA_BOOTSTRAP_SERVERS"], topic.named(env["TOPIC_PREFIX"]))
