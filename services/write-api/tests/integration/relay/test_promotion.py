"""A standby that streams from its primary and is promoted after the primary has died, under load and with a loss."""

import asyncio
import sys
import time
from contextlib import asynccontextmanager, suppress

import psycopg
import pytest
from sqlalchemy.exc import SQLAlchemyError

from cheeper_local.replicated import Availability, PostgresStandby
from cheeper_local.servers import Postgres
from cheeper_local.system.ports import HOST
from cheeper_local.testing import Proxy, eventually, until
from write_api.bus.ids import new_id
from write_api.db.engine import create_engine
from write_api.db.schema.migrate import migrate
from write_api.relay import loop as relay_loop

pytestmark = [
    pytest.mark.proves(guarantee="order"),
    pytest.mark.proves(guarantee="failovers"),
    pytest.mark.timeout(300),
]

KEYS = [new_id() for _ in range(4)]


class Pair:
    """A primary and its standby. Clients reach the one that takes writes at `url`; the standby streams by `link`."""

    def __init__(self, primary, folder):
        self.primary = primary
        self.link, self._front = (Proxy((HOST, primary.port)) for _ in range(2))
        self.link.start()
        self._front.start()
        self.standby = PostgresStandby(folder, primary, port_of_primary=self.link.port)
        self.standby.start()
        self.url = primary.url.replace(f":{primary.port}/", f":{self._front.port}/")

    def confirm_by_standby(self):
        """Let a commit wait for the standby: then a promotion loses nothing that was confirmed."""
        with psycopg.connect(self.primary.url, autocommit=True) as admin:
            admin.execute("ALTER DATABASE cheeper SET synchronous_commit = on")  # the tests' servers are told not to
            admin.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            admin.execute("SELECT pg_reload_conf()")
            until(lambda: admin.execute("SELECT sync_state FROM pg_stat_replication").fetchone() == ("sync",), 60)

    def promote(self):
        """Kill the primary, promote the standby, and send clients there."""
        self.primary.kill()
        self.standby.promote()
        self._front.upstream = HOST, self.standby.port
        self._front.cut()

    def close(self):
        self.standby.wipe()
        self.link.stop()
        self._front.stop()


@pytest.fixture
def pair(own_postgres, tmp_path):
    if not isinstance(own_postgres, Postgres):
        pytest.skip("the standby is a process beside its primary")
    tmp_path.chmod(0o755)  # PostgreSQL runs as another user if the tests run as root
    made = Pair(own_postgres, tmp_path / "standby")
    yield made
    made.close()


@pytest.fixture
async def place(pair, place_on_database):
    engine = create_engine(pair.url, application_name="test")
    await migrate(engine)
    yield place_on_database(engine, pair.url)
    await engine.dispose()


class Writer:
    """Writes without pause, and remembers what was confirmed."""

    def __init__(self, place):
        self._place = place
        self.confirmed, self.available = [], Availability()

    @asynccontextmanager
    async def running(self):
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self):
        while True:
            try:
                self.confirmed.append(await self._place.write(KEYS[len(self.confirmed) % len(KEYS)]))
                self.available.succeeded()
            except (SQLAlchemyError, OSError):
                await asyncio.sleep(0.05)


async def test_a_promotion_that_loses_nothing_is_continued_without_anybody(pair, place, running, read_topic, capsys):
    """With a synchronous standby, everything that was confirmed under load arrives once, in order, before and after the
    promotion. Broken by a relay that refuses every new timeline.
    """
    await asyncio.to_thread(pair.confirm_by_standby)
    await place.engine.dispose()  # a session takes the setting when it begins
    writer, relay = Writer(place), place.relay()
    async with running(relay, place.relay()):
        async with writer.running():
            await eventually(lambda: len(writer.confirmed) >= 40)
            await asyncio.to_thread(pair.promote)
            promoted, before = time.monotonic(), len(writer.confirmed)
            await eventually(lambda: len(writer.confirmed) >= before + 40)
        await eventually(lambda: everything_is_sent(place))
        sent = time.monotonic()
    (rows,) = await place.execute("SELECT count(*) AS n FROM outbox")
    messages = await read_topic(place.topic, rows.n)
    log = [envelope.message_id for there in place.by_sequence(messages).values() for envelope, _ in there]
    assert len(log) == rows.n
    assert set(writer.confirmed) <= set(log)
    figures = (
        f"no write for {writer.available.longest_pause:.1f} s, all sent {sent - promoted:.1f} s after the promotion"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")


async def everything_is_sent(place):
    with suppress(SQLAlchemyError):
        (found,) = await place.execute(
            "SELECT (SELECT count(*) FROM outbox) = (SELECT sum(last_sequence) FROM relay_partitions) AS done"
        )
        return found.done


async def lose_some(pair, place):
    """Promote a standby that lacks what was written and sent last. Return the ids of what it has and what it lacks."""
    kept = [await place.write(*KEYS) for _ in range(2)]
    await place.relay_some(8)
    await eventually(lambda: asyncio.to_thread(pair.standby.has_received))
    pair.link.stalled = True
    lost = [await place.write(*KEYS) for _ in range(2)]
    await place.relay_some(8)
    await asyncio.to_thread(pair.promote)
    await place.engine.dispose()
    return kept, lost


async def refused(relay):
    await eventually(lambda: "that this database has lost" in (relay.readiness.reason(relay_loop.HISTORY) or ""))


async def test_a_promotion_that_lost_what_was_sent_is_refused_until_the_epoch_is_raised(
    pair, place, running, read_topic
):
    """The log shows the loss, since the cursor of the standby is as old as its rows. Broken by a comparison of
    positions that the database itself keeps.
    """
    kept, lost = await lose_some(pair, place)
    relay = place.relay()
    async with running(relay):
        await refused(relay)
        new = await place.write(*KEYS)
        assert len(await read_topic(place.topic, 16)) == 16
        await place.raise_epoch()
        log = place.by_sequence(await read_topic(place.topic, 12))
    ids = {envelope.message_id for there in log.values() for envelope, _ in there}
    assert ids >= {*kept, new}
    assert not ids & set(lost)
