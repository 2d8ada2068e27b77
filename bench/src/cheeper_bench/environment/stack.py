"""The whole stack as its users run it, one process a role behind the gateway, with a graph in it."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import msgspec
import psycopg

from cheeper_bench.environment import durable, kafka_feed, seeding
from cheeper_bench.environment.environment import Environment
from cheeper_bench.environment.graph import Graph
from cheeper_bench.errors import BenchError, NotDurableError
from cheeper_contracts.kafka.topics import COMMANDS, EVENTS
from cheeper_local.running import RunningStack
from cheeper_local.settings import CLONE

_PROCESS_MANAGER: Final = "process-manager"
_GROUP: Final = "cheeper.process-manager"
KEPT: Final = CLONE / ".cheeper" / "bench-logs"
"""The folder that has, for each stack that refused something, a folder with its logs."""


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """A stack that runs: the gateway's port, the environment of its processes, and the graph in it.

    `refusals` are the numbers of refused requests by status; where there are any, the logs outlive the stack.
    """

    stack: RunningStack
    port: int
    env: dict[str, str]
    graph: Graph
    refusals: Counter[str] = msgspec.field(default_factory=Counter)

    def note_refused(self, refused: Mapping[int, int], unanswered: int = 0) -> int:
        """Note the refused requests of a load by status, and those without a response. Return their number."""
        self.refusals.update({str(status): number for status, number in refused.items()})
        self.refusals.update({"unanswered": unanswered} if unanswered else {})
        return sum(refused.values()) + unanswered

    def handled(self) -> int:
        """Return the number of commands that have an outcome."""
        with psycopg.connect(self.env["DATABASE_URL"]) as connection:
            row = connection.execute("SELECT count(outcome) FROM handled_commands").fetchone()
        return int(row[0]) if row else 0

    def settle(self, seconds: float) -> None:
        """Wait until the views have all effects of the write model. Raise BenchError if that takes longer."""
        seeding.wait_at_rest(self.env, seconds)


@contextmanager
def whole(
    environment: Environment,
    graph: Graph,
    *,
    audited: bool = True,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Whole]:
    """Run a stack with that graph and these variables. Raise NotDurableError.

    Its logs are kept if it refused something, or the benchmark failed.
    """
    folder = Path(environment.folder) / "stack"
    folder.mkdir()
    folder.chmod(0o755)  # PostgreSQL runs as another user where this runs as root
    with RunningStack.start(folder, environment={"BROKER": "kafka", **variables}) as stack:
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
        running = Whole(stack=stack, port=urlsplit(stack.gateway).port or 80, env=env, graph=graph)
        try:
            yield running
        except BenchError as error:
            keep_logs(stack.logs, str(error))
            raise
        if running.refusals:
            keep_logs(stack.logs, f"Refused: {dict(running.refusals)}")


def keep_logs(logs: Path, reason: str, kept: Path = KEPT) -> Path:
    """Copy a stack's logs to a folder that outlives it, say where it is and why, and return it."""
    folder = kept / time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    shutil.copytree(logs, folder, dirs_exist_ok=True)
    sys.stderr.write(f"  {reason}. The logs of the stack are in {folder}.\n")
    return folder


def _check(stack: RunningStack, env: dict[str, str]) -> None:
    if stack.broker != "kafka":
        raise NotDurableError(f"The broker {stack.broker} keeps nothing on disk: nothing is counted.")
    durable.check_postgres(env["DATABASE_URL"])
    durable.check_redis(env["REDIS_URL"])
    durable.check_mongo(env["MONGO_URL"])
    for topic in (COMMANDS, EVENTS):
        durable.check_topic(env["KAFKA_BOOTSTRAP_SERVERS"], topic.named(env["TOPIC_PREFIX"]))
