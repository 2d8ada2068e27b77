"""Clocks that differ by hours: every view still equals the write model."""

from contextlib import contextmanager

import psycopg
import pytest

from cheeper_e2e.actions.random_traffic import RandomTraffic
from cheeper_e2e.oracle.comparison import differences, report, wait_until_quiescent
from cheeper_e2e.oracle.write_model import WriteModel

SEED = 11

pytestmark = [pytest.mark.local, pytest.mark.extended, pytest.mark.disturbs, pytest.mark.takes(seconds=15)]

# Functions are found before PostgreSQL's own if the search path names `pg_catalog` last. Each connection, and so each
# transaction of each replica, has a clock of its own, up to three hours ahead or behind.
SHIFTED = """
CREATE SCHEMA shifted;
GRANT USAGE ON SCHEMA shifted TO PUBLIC;
CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.clock_timestamp() + make_interval(hours => pg_backend_pid() % 7 - 3) $$;
"""
RECONNECT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@contextmanager
def clocks_that_differ(url):
    """Give each connection of the services to the database another clock for the duration of the block."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SHIFTED)
        name = connection.info.dbname
        try:
            connection.execute(f'ALTER DATABASE "{name}" SET search_path = public, shifted, pg_catalog')
            connection.execute(RECONNECT)
            yield
        finally:
            connection.execute(f'ALTER DATABASE "{name}" RESET search_path')
            connection.execute(RECONNECT)
            connection.execute("DROP SCHEMA shifted CASCADE")


async def test_views_equal_the_write_model_while_clocks_differ_by_hours(patient, local_stack):
    """Dates do not rise in the order of the posts then, and lists, timelines and searches follow the dates.

    It fails if a projection or a script takes the last entry for the newest one.
    """
    url = local_stack.environment["DATABASE_URL"]
    traffic = RandomTraffic(patient, SEED, authors=5)
    with clocks_that_differ(url):
        await traffic.send(400, 8)
        with WriteModel(url) as model:
            await wait_until_quiescent(patient, model, traffic.sender, traffic.author_ids, 180)
    with WriteModel(url) as model, psycopg.connect(url) as connection:
        found = await differences(patient, model, traffic.sender, traffic.author_ids, searches=[traffic.scene.tag])
        assert found == {}, report(found, traffic.sender)
        (backwards,) = connection.execute(BACKWARDS, [traffic.author_ids]).fetchone()
    assert backwards > 0, "no post has an earlier date than one before it, so nothing was shown"


# The order of the posts is that of the outbox.
BACKWARDS = """
SELECT count(*) FROM (
    SELECT (payload ->> 'cheep_date')::bigint < lag((payload ->> 'cheep_date')::bigint) OVER (
        PARTITION BY key ORDER BY epoch, xid, id
    ) AS earlier
    FROM outbox WHERE type = 'cheeper.cheep-posted.v1' AND key = ANY (%s)
) AS posts WHERE earlier
"""
