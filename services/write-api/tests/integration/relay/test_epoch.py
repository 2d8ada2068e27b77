"""A database that is really restored: its folder is copied, and PostgreSQL recovers from the copy."""

import shutil

import psycopg
import pytest

from cheeper_contracts.kafka import topics
from cheeper_local.testing import eventually
from write_api.bus.ids import new_id
from write_api.db.engine import create_engine
from write_api.db.schema.migrate import migrate
from write_api.relay import loop as relay_loop

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [new_id() for _ in range(4)]


class Copies:
    """Copies of a server's data folder."""

    def __init__(self, server, folder):
        self._server, self._folder = server, folder / "copy"

    def take(self):
        """Take a copy while the server is down; afterwards it goes on with its own data."""
        self._server.stop()
        copy(self._server.data, self._folder)
        self._server.start()

    def restore(self):
        """Restore as the handbook says: the server finds no more log, ends recovery, and begins another timeline."""
        self._server.stop()
        shutil.rmtree(self._server.data)
        copy(self._folder, self._server.data)
        signal_file = self._server.data / "recovery.signal"
        signal_file.touch()
        owner = (self._server.data / "PG_VERSION").stat()
        shutil.chown(signal_file, owner.st_uid, owner.st_gid)
        with (self._server.data / "postgresql.auto.conf").open("a") as settings:
            settings.write("restore_command = 'false'\n")
        self._server.start()


def copy(source, target):
    """Copy a folder with its owners."""
    shutil.copytree(source, target)
    for found in [source, *source.rglob("*")]:
        there = found.stat()
        shutil.chown(target / found.relative_to(source), there.st_uid, there.st_gid)


@pytest.fixture
async def outbox_scene(own_postgres, scene_on_database):
    engine = create_engine(own_postgres.url, application_name="test")
    await migrate(engine)
    yield scene_on_database(engine, own_postgres.url)
    await engine.dispose()


@pytest.mark.timeout(300)
async def test_a_database_restored_from_a_copy_is_refused_until_the_epoch_is_raised(
    outbox_scene, own_postgres, running, read_topic, tmp_path
):
    """It has lost the messages after the copy, and would use their sequences again. With a new epoch there is a new log
    with everything in the copy and then the new messages, in each key's order, though transaction ids repeat. Broken by
    a relay that trusts its cursor.
    """
    copies = Copies(own_postgres, tmp_path)
    kept = [await outbox_scene.write(*KEYS) for _ in range(2)]
    await outbox_scene.relay_some(8)
    copies.take()
    await outbox_scene.engine.dispose()
    lost = [await outbox_scene.write(*KEYS) for _ in range(3)]
    await outbox_scene.relay_some(12)
    newest = await newest_xid(outbox_scene)
    await outbox_scene.engine.dispose()
    copies.restore()

    relay = outbox_scene.relay()
    async with running(relay):
        await eventually(lambda: "raise-epoch" in (relay.readiness.reason(relay_loop.HISTORY) or ""))
        unsent = await outbox_scene.write(*KEYS)
        assert await newest_xid(outbox_scene) < newest  # so transaction ids alone would not order new rows last
        await outbox_scene.raise_epoch()
        last = [await outbox_scene.write(*KEYS) for _ in range(2)]
        messages = await read_topic(outbox_scene.topic, 20)
    ids = {sent.message_id for _, _, sent, _, _ in messages}
    assert {*kept, unsent, *last} <= ids
    assert not ids & set(lost)
    there = outbox_scene.by_sequence(messages)[topics.partition_of(KEYS[0])]
    assert [sent.message_id for sent, _ in there if sent.key == KEYS[0]] == [*kept, unsent, *last]
    with psycopg.connect(outbox_scene.url) as database:
        epochs = database.execute("SELECT epoch, count(*) FROM outbox GROUP BY epoch ORDER BY epoch").fetchall()
    assert epochs == [(1, 12), (2, 8)]


async def newest_xid(outbox_scene):
    (found,) = await outbox_scene.execute("SELECT max(xid::text::bigint) AS xid FROM outbox")
    return found.xid
