"""The backlog of the relay is exposed, and the transaction that blocks it is named."""

import asyncio
from contextlib import asynccontextmanager

import psycopg
import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cheeper_local.testing import eventually
from cheeper_runtime.concurrency.background import in_background
from write_api.bus.ids import new_id
from write_api.db.engine import create_engine
from write_api.db.schema.migrate import migrate
from write_api.ops.metrics import RelayMetrics
from write_api.relay.postgres import backlog
from write_api.relay.postgres.cursor import connect

pytestmark = pytest.mark.proves(guarantee="order")

BEGINS, ENDS = "messages wait for a transaction in flight", "messages no longer wait for that transaction"
P = "cheeper_write_api_"


class Seen:
    """The values of the metrics."""

    def __init__(self):
        self.registry = CollectorRegistry()
        self.metrics = RelayMetrics(self.registry)

    def __getitem__(self, name):
        return self.registry.get_sample_value(P + name)

    def holders(self):
        (family,) = [one for one in self.registry.collect() if one.name == f"{P}blocking_transaction_info"]
        return [sample.labels for sample in family.samples]


@pytest.fixture
def seen():
    return Seen()


@asynccontextmanager
async def a_transaction(url, statement, **options):
    async with await psycopg.AsyncConnection.connect(url, **options) as connection:
        await connection.execute(statement)
        yield connection
        await connection.rollback()


def elsewhere(url):
    return f"{url.rpartition('/')[0]}/postgres"


async def test_who_holds_the_horizon_is_named_once_and_so_is_its_end(outbox_scene, seen):
    """A transaction of another database that has blocked messages for five seconds is named in the log and the metrics,
    without its values; its end is logged too. Broken by naming the oldest transaction of this database instead.
    """
    other = "SELECT pg_current_xact_id(), 'bob@example.com'"
    with capture_logs() as logs:
        async with in_background(backlog.BacklogMonitor(outbox_scene.url, seen.metrics).run()):
            async with a_transaction(
                elsewhere(outbox_scene.url), other, application_name="of bob@example.com"
            ) as holder:
                pid = holder.info.backend_pid
                await outbox_scene.write(new_id(), new_id())
                async with a_transaction(
                    outbox_scene.url, "SELECT pg_current_xact_id()"
                ):  # later, and of this database
                    await eventually(lambda: seen["outbox_blocked_seconds"] > 0)
                    assert seen.holders() == []
                    await eventually(lambda: of(logs, BEGINS))
                    await eventually(lambda: seen["outbox_blocked_seconds"] > backlog.LONG_SECONDS + 1)
                    (named,) = seen.holders()
                    assert seen["outbox_backlog_messages"] == 2
                    assert seen["outbox_backlog_age_seconds"] > backlog.LONG_SECONDS
                    assert seen["blocking_transaction_age_seconds"] > backlog.LONG_SECONDS
            await eventually(lambda: of(logs, ENDS))
            await eventually(lambda: seen["outbox_blocked_seconds"] == 0)
    assert named == {
        "pid": str(pid),
        "database": "postgres",
        "application": "of …",
        "state": "idle in transaction",
        "query": "SELECT pg_current_xact_id(), …",
    }
    assert seen.holders() == []
    (begins,) = of(logs, BEGINS)
    assert named.items() < begins.items()
    assert len(of(logs, ENDS)) == 1
    assert "bob" not in str(logs)


def of(logs, event):
    return [line for line in logs if line["event"] == event]


async def test_messages_that_can_be_sent_wait_for_no_transaction(outbox_scene, seen):
    """A backlog that no transaction blocks, as while the broker is unavailable, is exposed as such."""
    async with await psycopg.AsyncConnection.connect(outbox_scene.url, autocommit=True) as connection:
        monitor = backlog.BacklogMonitor(outbox_scene.url, seen.metrics)
        await monitor.poll(connection)
        assert seen["outbox_backlog_messages"] == seen["outbox_backlog_age_seconds"] == 0
        await outbox_scene.write(*[new_id() for _ in range(3)])
        await monitor.poll(connection)
        assert seen["outbox_backlog_messages"] == 3
        assert seen["outbox_backlog_age_seconds"] > 0
        assert seen["outbox_blocked_seconds"] == seen["blocking_transaction_age_seconds"] == 0
        async with connect(outbox_scene.url) as store:
            await store.begin(await store.identity(), "t")
            cursor = await store.load()
            rows = await eventually(lambda: store.read(cursor, 10))
            await store.move(cursor, rows[-1], rows[0], {})
        await monitor.poll(connection)
        assert seen["outbox_backlog_messages"] == seen["outbox_backlog_age_seconds"] == 0


@pytest.fixture
async def own_scene(own_postgres, scene_on_database):
    """An outbox on a server of its own that allows prepared transactions and logical slots."""
    with psycopg.connect(own_postgres.url, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET max_prepared_transactions = 4")
        admin.execute("ALTER SYSTEM SET wal_level = logical")
    await asyncio.to_thread(own_postgres.stop)
    own_postgres.start()
    engine = create_engine(own_postgres.url, application_name="test")
    await migrate(engine)
    yield scene_on_database(engine, own_postgres.url)
    await engine.dispose()


async def test_a_prepared_transaction_is_named_and_readers_and_slots_hold_nothing(own_scene, seen):
    """Only a transaction with an id holds back the horizon: a prepared one is named as such; an old snapshot and
    replication slots hold back vacuum but not the relay.
    """
    outbox_scene = own_scene
    async with await psycopg.AsyncConnection.connect(outbox_scene.url, autocommit=True) as connection:
        monitor = backlog.BacklogMonitor(outbox_scene.url, seen.metrics)
        await connection.execute("SELECT pg_create_physical_replication_slot('physical', true)")
        await connection.execute("SELECT pg_create_logical_replication_slot('logical', 'pgoutput')")
        async with a_transaction(outbox_scene.url, "SELECT count(*) FROM outbox") as reader:
            await reader.rollback()
            await reader.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
            await reader.execute("SELECT count(*) FROM outbox")
            await outbox_scene.write(new_id())
            await monitor.poll(connection)
            assert seen["outbox_backlog_messages"] == 1
            assert seen["outbox_blocked_seconds"] == seen["blocking_transaction_age_seconds"] == 0
        await connection.execute("BEGIN")
        await connection.execute("CREATE TABLE elsewhere (message text)")
        await connection.execute("PREPARE TRANSACTION 'the slow one'")
        await outbox_scene.write(new_id())
        found = await backlog._blocking_transaction(connection, await horizon(connection))
        assert (found.pid, found.application, found.state) == (None, "the slow one", "prepared")
        await monitor.poll(connection)
        assert seen["blocking_transaction_age_seconds"] > 0
        await connection.execute("ROLLBACK PREPARED 'the slow one'")
        await monitor.poll(connection)
        assert seen["blocking_transaction_age_seconds"] == 0


async def horizon(connection):
    found = await connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    return int((await found.fetchone())[0])


async def test_events_that_are_not_sent_are_reported_whatever_the_reason(outbox_scene):
    """A row that is older than the bound shows that no view is updated, also if no relay has ever run."""
    check = backlog.check_of_events(outbox_scene.engine)
    assert await check() is None
    await outbox_scene.write(new_id())
    assert await check() is None
    await outbox_scene.execute("UPDATE outbox SET created_at = created_at - interval '31 s'")
    assert "reads are not updated" in await check()
    await outbox_scene.relay_some(1)
    assert await check() is None
