"""Faults of PostgreSQL: it is slow, a transaction lasts, its clock is ahead, or it is another database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import httpx

from cheeper_e2e.faults.alerting.scene import LAG_MAX, Scene
from cheeper_local.waiting import until

_BLOCK: Final = "LOCK TABLE cheeps IN SHARE MODE"  # as an index that is being built has it
_CLIENTS: Final = 6
_BLOCKED_SECONDS: Final = 2.0
_FREE_SECONDS: Final = 0.2
_AHEAD: Final = """
CREATE SCHEMA ahead;
GRANT USAGE ON SCHEMA ahead TO PUBLIC;
CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.clock_timestamp() + interval '10 seconds' $$;
"""
_RECONNECT: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_OLD_MONTH: Final = """
CREATE TABLE outbox_2020_01 PARTITION OF outbox FOR VALUES FROM ('2020-01-01T00:00:00+00') TO ('2020-02-01T00:00:00+00')
"""


@contextmanager
def slow_database(scene: Scene) -> Iterator[None]:
    """Something locks the cheeps for two seconds, again and again. The repair ends it."""
    stop = threading.Event()

    def lock_again_and_again() -> None:
        with scene.database() as connection:
            while not stop.wait(_FREE_SECONDS):
                with connection.transaction():
                    connection.execute(_BLOCK)
                    stop.wait(_BLOCKED_SECONDS)

    thread = threading.Thread(target=lock_again_and_again, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


@contextmanager
def long_transaction(scene: Scene) -> Iterator[None]:
    """A transaction with an id locks the cheeps, and posts pile up until they are refused. The repair ends it."""
    with scene.database() as connection, connection.transaction():
        connection.execute("SELECT pg_current_xact_id()")
        connection.execute(_BLOCK)
        for _ in range(3 * LAG_MAX):
            reply = scene.usage.post()
            if reply is not None and reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                break
        with ExitStack() as clients:
            for _ in range(_CLIENTS):
                clients.enter_context(scene.usage.repeat(scene.usage.post))
            yield


@contextmanager
def clock_ahead(scene: Scene) -> Iterator[None]:
    """PostgreSQL's clock is ten seconds ahead. The repair sets it right."""
    with scene.database() as connection:
        name = connection.info.dbname
        connection.execute(_AHEAD)
        connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, ahead, pg_catalog'.encode())
        connection.execute(_RECONNECT)
        yield
        connection.execute(f'ALTER DATABASE "{name}" RESET search_path'.encode())
        connection.execute(_RECONNECT)
        connection.execute("DROP SCHEMA ahead CASCADE")


@contextmanager
def other_database(scene: Scene) -> Iterator[None]:
    """The relay finds the cursor of another database. The repair gives it back its own."""
    with scene.database() as connection:
        connection.execute("UPDATE relay_cursor SET system_identifier = system_identifier + 1")
        scene.stack.kill("relay")
        yield
        connection.execute("UPDATE relay_cursor SET system_identifier = system_identifier - 1")
        scene.stack.kill("relay")


@contextmanager
def old_month(scene: Scene) -> Iterator[None]:
    """The relay finds a month of the outbox that ended years ago, and has seen one day. The repair drops it."""
    with scene.database() as connection:
        connection.execute(_OLD_MONTH)
        scene.stack.kill("relay")
        until(lambda: scene.prometheus.query("cheeper_write_api_outbox_months_retained > 0"), what="a retained month")
        yield
        connection.execute("DROP TABLE outbox_2020_01")
        scene.stack.kill("relay")
