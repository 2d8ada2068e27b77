"""A standby that streams from its primary and is promoted after the primary has died, under load and with a loss."""

import asyncio
import sys
import time
from contextlib import suppress

import pytest
from sqlalchemy.exc import SQLAlchemyError

from cheeper_local.servers import Postgres
from cheeper_local.testing import eventually
from cheeper_local.testing.replicated import Availability, PostgresPair
from cheeper_runtime.concurrency.background import in_background
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


@pytest.fixture
def pair(own_postgres, tmp_path):
    if not isinstance(own_postgres, Postgres):
        pytest.skip("the standby is a process beside its primary")
    tmp_path.chmod(0o755)  # PostgreSQL runs as another user if the tests run as root
    made = PostgresPair(own_postgres, tmp_path / "standby")
    yield made
    made.close()


@pytest.fixture
async def outbox_scene(pair, scene_on_database):
    engine = create_engine(pair.url, application_name="test")
    await migrate(engine)
    yield scene_on_database(engine, pair.url)
    await engine.dispose()


class Writer:
    """Writes without pause, and remembers what was confirmed."""

    def __init__(self, outbox_scene):
        self._scene = outbox_scene
        self.confirmed, self.available = [], Availability()

    def running(self):
        return in_background(self._run())

    async def _run(self):
        while True:
            try:
                self.confirmed.append(await self._scene.write(KEYS[len(self.confirmed) % len(KEYS)]))
                self.available.succeeded()
            except (SQLAlchemyError, OSError):
                await asyncio.sleep(0.05)


async def test_a_promotion_that_loses_nothing_is_continued_without_anybody(
    pair, outbox_scene, running, read_topic, capsys
):
    """With a synchronous standby, everything that was confirmed under load arrives once, in order, before and after the
    promotion. Broken by a relay that refuses every new timeline.
    """
    await asyncio.to_thread(pair.confirm_by_standby)
    await outbox_scene.engine.dispose()  # a session takes the setting when it begins
    writer, relay = Writer(outbox_scene), outbox_scene.relay()
    async with running(relay, outbox_scene.relay()):
        async with writer.running():
            await eventually(lambda: len(writer.confirmed) >= 40)
            await asyncio.to_thread(pair.promote)
            promoted, before = time.monotonic(), len(writer.confirmed)
            await eventually(lambda: len(writer.confirmed) >= before + 40)
        await eventually(lambda: everything_is_sent(outbox_scene))
        sent = time.monotonic()
    (rows,) = await outbox_scene.execute("SELECT count(*) AS n FROM outbox")
    messages = await read_topic(outbox_scene.topic, rows.n)
    log = [envelope.message_id for there in outbox_scene.by_sequence(messages).values() for envelope, _ in there]
    assert len(log) == rows.n
    assert set(writer.confirmed) <= set(log)
    figures = (
        f"no write for {writer.available.longest_pause:.1f} s, all sent {sent - promoted:.1f} s after the promotion"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{figures}\n")


async def everything_is_sent(outbox_scene):
    with suppress(SQLAlchemyError):
        (found,) = await outbox_scene.execute(
            "SELECT (SELECT count(*) FROM outbox) = (SELECT sum(last_sequence) FROM relay_partitions) AS done"
        )
        return found.done


async def lose_some(pair, outbox_scene):
    """Promote a standby that lacks what was written and sent last. Return the ids of what it has and what it lacks."""
    kept = [await outbox_scene.write(*KEYS) for _ in range(2)]
    await outbox_scene.relay_some(8)
    await eventually(lambda: asyncio.to_thread(pair.standby.has_received))
    pair.link.stalled = True
    lost = [await outbox_scene.write(*KEYS) for _ in range(2)]
    await outbox_scene.relay_some(8)
    await asyncio.to_thread(pair.promote)
    await outbox_scene.engine.dispose()
    return kept, lost


async def refused(relay):
    await eventually(lambda: "that this database has lost" in (relay.readiness.reason(relay_loop.HISTORY) or ""))


async def test_a_promotion_that_lost_what_was_sent_is_refused_until_the_epoch_is_raised(
    pair, outbox_scene, running, read_topic
):
    """The log shows the loss, since the cursor of the standby is as old as its rows. Broken by a comparison of
    positions that the database itself keeps.
    """
    kept, lost = await lose_some(pair, outbox_scene)
    relay = outbox_scene.relay()
    async with running(relay):
        await refused(relay)
        new = await outbox_scene.write(*KEYS)
        assert len(await read_topic(outbox_scene.topic, 16)) == 16
        await outbox_scene.raise_epoch()
        log = outbox_scene.by_sequence(await read_topic(outbox_scene.topic, 12))
    ids = {envelope.message_id for there in log.values() for envelope, _ in there}
    assert ids >= {*kept, new}
    assert not ids & set(lost)
