"""Measure the bytes that a command takes in each store, on a stack of its own, and print them as a table.

    python docs/tools/space.py [COMMANDS]

Each row sends that many commands (default 2,000) through the gateway, waits until their outcomes are in all views, and
divides what each store has gained by their number.
"""

from __future__ import annotations

import http.client
import json
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import pymongo
import redis

from cheeper_local.running import RunningStack
from cheeper_local.waiting import until

THREADS: Final = 8
SETTLE_SECONDS: Final = 280.0
TEXT: Final = "A cheep of the length that people write: about a hundred characters, give or take a few of them."
SETTLED: Final = ("projected", "rejected")
TABLES: Final = "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND oid >= 16384"

Bodies = Callable[[], Mapping[str, str]]
Sizes = dict[str, int]


def main(arguments: list[str]) -> int:
    """Measure and print. The exit code."""
    count = int(arguments[0]) if arguments else 2_000
    with RunningStack.temporary(environment={"QUEUE_MILLISECONDS": "5000"}) as stack:
        author = str(uuid.uuid4())
        request(stack.gateway, "POST", "/author", {"author_id": author, "username": "space", "email": "s@example.com"})
        posts: dict[str, tuple[Bodies, bool]] = {
            "a post that is handled, with a key": (lambda: {"author_id": author, "message": TEXT}, True),
            "a post that is refused, with a key": (lambda: {"author_id": str(uuid.uuid4()), "message": TEXT}, True),
            "the same, without a key": (lambda: {"author_id": str(uuid.uuid4()), "message": TEXT}, False),
            "a post that is refused at the edge": (lambda: {"author_id": author, "message": " "}, True),
        }
        rows = [(name, gained(stack, count, bodies, keyed=keyed)) for name, (bodies, keyed) in posts.items()]
    names = list(rows[0][1])
    print(f"| bytes of | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
    for name, sizes in rows:
        print(f"| {name} | {' | '.join(f'{sizes[one] / count:,.0f}' for one in names)} |")
    return 0


def gained(stack: RunningStack, count: int, bodies: Bodies, *, keyed: bool) -> Sizes:
    """Return the bytes by which each store has grown after that many commands."""
    before = sizes_of(stack)

    def post(number: int) -> str | None:
        headers = {"Idempotency-Key": str(uuid.uuid4())} if keyed else {}
        status, answer = request(stack.gateway, "POST", "/cheep", bodies(), headers)
        return str(answer["meta"]["message_id"]) if status == http.client.ACCEPTED and number % 50 == 0 else None

    with ThreadPoolExecutor(THREADS) as threads:
        sent = [one for one in threads.map(post, range(count)) if one is not None]
    for message_id in sent:
        wait_until_settled(stack.gateway, message_id)
    after = sizes_of(stack)
    return {name: after[name] - before[name] for name in before}


def wait_until_settled(gateway: str, message_id: str) -> None:
    """Return once the command's outcome is in all views. Raise TimeoutError."""

    def is_settled() -> bool:
        _, answer = request(gateway, "GET", f"/command/{message_id}", None)
        return answer["data"].get("status") in SETTLED

    until(is_settled, SETTLE_SECONDS, what=f"the command {message_id} is settled")


def sizes_of(stack: RunningStack) -> Sizes:
    """Return the bytes in each store: tables with their indexes, the messages of topics, memory, documents, logs."""
    environment = stack.environment
    folder = stack.logs.parent
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as postgres:
        tables = postgres.execute(TABLES).fetchone()
    with redis.Redis.from_url(environment["REDIS_URL"]) as hot:
        memory: Any = hot.info("memory")
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(environment["MONGO_URL"])
    with client:
        client.admin.command("fsync")
        documents = client[environment["MONGO_DATABASE"]].command("dbStats")
    return {
        "PostgreSQL": int(tables[0]) if tables else 0,
        "`cheeper.commands`": sum(in_topic(folder, "cheeper.commands")),
        "`cheeper.events`": sum(in_topic(folder, "cheeper.events")),
        "Redis": int(memory["used_memory"]),
        "MongoDB": int(documents["dataSize"] + documents["indexSize"]),
        "logs": sum(path.stat().st_size for path in stack.logs.glob("*.log")),
    }


def in_topic(folder: Path, name: str) -> Iterator[int]:
    """Yield the bytes of each file of messages of a topic; files of indexes have a fixed size."""
    return (path.stat().st_size for path in folder.rglob("*.log") if path.parent.name.startswith(f"{name}-"))


def request(
    gateway: str, method: str, path: str, body: Mapping[str, str] | None, headers: Mapping[str, str] | None = None
) -> tuple[int, Any]:
    """Send a request over a connection of its own, and return its status and JSON."""
    connection = http.client.HTTPConnection(urlsplit(gateway).netloc, timeout=60)
    try:
        json_header = {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), {**json_header, **(headers or {})})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
