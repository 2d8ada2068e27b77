"""The alternatives to read-api, behind its very server and settings: a Litestar "hello", and the SQL-only variant.

The SQL-only variant serves the same API from the write model's tables alone, as a service without CQRS would. It has
the indexes that its statements need, a pool of connections, prepared statements, and responses of the same shape.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import uuid4

import msgspec
import psycopg
import uvloop
from litestar import Litestar, Request, get, post

from cheeper_contracts.http.responses import Answer, Meta
from cheeper_contracts.views import CheepRecord, whole_seconds
from cheeper_runtime.http_server import http_server

CONNECTIONS: Final = 16

INDEXES: Final = (
    "CREATE INDEX sql_newest ON cheeps (author_id, cheep_date DESC, cheep_id DESC) WHERE deleted_at IS NULL",
    "CREATE INDEX sql_follows ON follows (from_author_id) INCLUDE (to_author_id)",
    "ANALYZE cheeps, follows, authors",
)
"""The indexes that the statements below need beside the write model's own."""

_CHEEP: Final = (
    "c.cheep_id::text, c.cheep_date, c.message, c.author_id::text, a.username, c.in_reply_to::text, c.edited_at"
)

# The newest of each followed author by index, then the newest of these: for many follows that is faster than the plain
# join, which reads all cheeps of all of them.
TIMELINE: Final = f"""
SELECT {_CHEEP} FROM (
    SELECT newest.* FROM follows AS f CROSS JOIN LATERAL (
        SELECT * FROM cheeps AS c WHERE c.author_id = f.to_author_id AND c.deleted_at IS NULL
            AND (c.cheep_date, c.cheep_id) < (%(date)s, %(id)s::uuid)
        ORDER BY c.cheep_date DESC, c.cheep_id DESC LIMIT %(most)s
    ) AS newest
    WHERE f.from_author_id = %(author)s::uuid ORDER BY newest.cheep_date DESC, newest.cheep_id DESC LIMIT %(most)s
) AS c JOIN authors AS a USING (author_id) ORDER BY c.cheep_date DESC, c.cheep_id DESC
"""
OWN: Final = f"""
SELECT {_CHEEP} FROM cheeps AS c JOIN authors AS a USING (author_id)
WHERE c.author_id = %(author)s::uuid AND c.deleted_at IS NULL ORDER BY c.cheep_date DESC, c.cheep_id DESC LIMIT %(most)s
"""
POST: Final = """
INSERT INTO cheeps (cheep_id, author_id, message, cheep_date, post_digest) VALUES (%s, %s, %s, %s, '\\x00')
"""
FOLLOW: Final = """
INSERT INTO follows (follow_id, from_author_id, to_author_id, followed_at)
VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
SIGN_UP: Final = """
INSERT INTO authors (author_id, username, email, email_unique_form, signed_up_at)
VALUES (%s, %s, %s, %s, %s)
"""
_END: Final = (2**63 - 1, "ffffffff-ffff-ffff-ffff-ffffffffffff")
_DEFAULT_SIZE: Final = 10


class Cheeps(msgspec.Struct, frozen=True):
    """A page."""

    cheeps: list[CheepRecord]


class Hello(msgspec.Struct, frozen=True):
    """The least that has a shape."""

    hello: str = "world"


class Pool:
    """A pool of CONNECTIONS connections that commit each statement; the one used last goes first."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._free: asyncio.LifoQueue[psycopg.AsyncConnection[Any]] = asyncio.LifoQueue()

    async def open(self) -> None:
        """Connect."""
        for _ in range(CONNECTIONS):
            connection = await psycopg.AsyncConnection.connect(
                self._url, autocommit=True, prepare_threshold=0, options="-c jit=off"
            )
            self._free.put_nowait(connection)

    async def rows(self, statement: str, values: Any) -> list[Any]:
        """Run a statement and return its rows, if it has any."""
        connection = await self._free.get()
        try:
            cursor = await connection.execute(statement, values, prepare=True)
            return await cursor.fetchall() if cursor.description else []
        finally:
            self._free.put_nowait(connection)


def hello_app() -> Litestar:
    """Return one route that needs nothing."""

    @get("/hello")
    async def hello() -> Answer[Hello]:
        return Answer(data=Hello(), meta=Meta(message_id=str(uuid4())))

    return Litestar([hello], logging_config=None, openapi_config=None)


def sql_app(url: str) -> Litestar:
    """Yield the requests of the mixes, each a statement."""
    pool = Pool(url)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        await pool.open()
        yield

    async def page(statement: str, author_id: str, size: int, below: tuple[int, str]) -> Answer[Cheeps]:
        rows = await pool.rows(statement, {"author": author_id, "most": size + 1, "date": below[0], "id": below[1]})
        last = rows[size - 1] if len(rows) > size else None
        meta = Meta(message_id=str(uuid4()), next_cursor=None if last is None else f"{last[1]}.{last[0]}")
        return Answer(data=Cheeps([_record(*row) for row in rows[:size]]), meta=meta)

    @get("/author/{author_id:str}/timeline")
    async def timeline(author_id: str, size: int = _DEFAULT_SIZE, cursor: str | None = None) -> Answer[Cheeps]:
        date, _, cheep_id = (cursor or "").partition(".")
        return await page(TIMELINE, author_id, size, (int(date), cheep_id) if cursor else _END)

    @get("/author/{author_id:str}/cheeps")
    async def own(author_id: str, size: int = _DEFAULT_SIZE) -> Answer[Cheeps]:
        return await page(OWN, author_id, size, _END)

    @post("/cheep")
    async def post_cheep(request: Request[Any, Any, Any]) -> Answer[dict[str, str]]:
        body, cheep_id = msgspec.json.decode(await request.body()), str(uuid4())
        await pool.rows(POST, (cheep_id, body["author_id"], body["message"], time.time_ns() // 1000))
        return Answer(data={"cheep_id": cheep_id}, meta=Meta(message_id=str(uuid4())))

    @post("/follow")
    async def follow(request: Request[Any, Any, Any]) -> Answer[dict[str, str]]:
        body, follow_id = msgspec.json.decode(await request.body()), str(uuid4())
        pair = (body["from_author_id"], body["to_author_id"])
        await pool.rows(FOLLOW, (follow_id, *pair, time.time_ns() // 1000))
        return Answer(data={"follow_id": follow_id}, meta=Meta(message_id=str(uuid4())))

    @post("/author")
    async def sign_up(request: Request[Any, Any, Any]) -> Answer[dict[str, str]]:
        body, author_id = msgspec.json.decode(await request.body()), str(uuid4())
        email = body["email"]
        await pool.rows(SIGN_UP, (author_id, body["username"], email, email.lower(), time.time_ns() // 1000))
        return Answer(data={"author_id": author_id}, meta=Meta(message_id=str(uuid4())))

    handlers = [timeline, own, post_cheep, follow, sign_up]
    return Litestar(handlers, lifespan=[lifespan], logging_config=None, openapi_config=None)


def _record(  # noqa: PLR0913, PLR0917 - a row
    cheep_id: str, date: int, message: str, author_id: str, username: str, reply_to: str | None, edited: int | None
) -> CheepRecord:
    return CheepRecord(
        cheep_id=cheep_id,
        cheep_date=whole_seconds(date),
        cheep_message=message,
        author_id=author_id,
        author_username=username,
        in_reply_to=reply_to,
        edited_at=None if edited is None else whole_seconds(edited),
    )


def main() -> None:
    """Serve one of them at HOST and PORT."""
    parser = argparse.ArgumentParser(prog="python -m cheeper_bench.baselines.apps")
    parser.add_argument("app", choices=("hello", "sql"))
    app = hello_app() if parser.parse_args().app == "hello" else sql_app(os.environ["DATABASE_URL"])
    logging.disable(logging.WARNING)
    uvloop.run(http_server(app, os.environ["HOST"], int(os.environ["PORT"])).serve())


if __name__ == "__main__":
    main()
