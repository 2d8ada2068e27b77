"""A database that was promoted or restored: it is relayed from if and only if it has everything that was sent."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_local.testing import eventually
from write_api.relay.history import first_lacking
from write_api.relay.kafka.log_tail import LoggedMessage
from write_api.relay.loop import HISTORY
from write_api.relay.numbering import START, LastSent, Position, Row, number
from write_api.relay.postgres.cursor import Cursor, DatabaseIdentity

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [f"key-{n}" for n in range(12)]


async def refused(relay, text):
    await eventually(lambda: text in (relay.readiness.reason(HISTORY) or ""))


async def test_a_promoted_database_that_has_everything_is_relayed_from(database, broker, relay):
    """A new timeline alone is no reason to refuse; the sequences go on, and the next start accepts it at once."""
    ids = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.restore(database.snapshot())
    for _ in range(2):
        ids += database.write(*KEYS)
        await relay().run(asyncio.Event(), len(KEYS))
    assert sorted(broker.ids()) == sorted(ids)
    assert broker.topic_id == "topic-1"
    assert database.cursor.identity == database.identity


async def test_a_promoted_database_whose_cursor_alone_is_older_is_relayed_from(database, broker, relay):
    """The messages that were sent behind its cursor are rows that it has, and are sent again with their sequences."""
    ids = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    cursor = database.cursor
    ids += database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.restore(database.snapshot())
    database.cursor = cursor
    before = broker.sequences()
    await relay().run(asyncio.Event(), len(KEYS))
    assert broker.sequences() == before
    assert sorted(broker.ids()) == sorted(ids)


@pytest.mark.parametrize("timelines", [0, 1])
async def test_a_database_that_lost_what_was_sent_is_refused(database, broker, relay, running, timelines):
    """Its cursor is as old as its rows, and shows nothing: the log does. A restored copy of the disk, which stays on
    its timeline, is refused too.
    """
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    copy = database.snapshot()
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    before = broker.ids()
    database.restore(copy, timelines=timelines)
    database.write(*KEYS)  # under the sequences of the lost ones
    one = relay()
    async with running(one):
        await refused(one, "that this database has lost")
        await refused(one, "raise-epoch")
    assert broker.ids() == before


async def test_a_loss_that_was_never_sent_is_no_reason_to_refuse(database, broker, relay):
    """No view has seen the lost rows, so log and database still belong together."""
    ids = database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    copy = database.snapshot()
    database.write(*KEYS)
    database.restore(copy)
    ids += database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    assert sorted(broker.ids()) == sorted(ids)


async def test_a_new_timeline_without_its_log_is_refused(database, broker, relay, running):
    """The log alone could show what the database has lost, while views may hold it."""
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.restore(database.snapshot())
    broker.wipe()
    one = relay()
    async with running(one):
        await refused(one, "Kafka was wiped")


async def test_an_older_timeline_is_refused(database, relay, running):
    """It is not what follows the timeline that was relayed from."""
    database.identity = DatabaseIdentity(1, 3)
    database.write(*KEYS)
    await relay().run(asyncio.Event(), len(KEYS))
    database.identity = DatabaseIdentity(1, 2)
    one = relay()
    async with running(one):
        await refused(one, "raise-epoch")


class Tail:
    def __init__(self, messages):
        self._messages = list(messages)

    async def read(self):
        return [self._messages.pop(0)] if self._messages else []


class Rows:
    def __init__(self, rows):
        self._rows = rows

    async def read(self, cursor, _limit):
        return [row for row in self._rows if row.position > cursor.position][:2]


def row(number_, message_id):
    envelope = Envelope(
        message_id=message_id, type="t", source="/t", time=1, key=KEYS[number_ % len(KEYS)], correlation_id=message_id
    )
    return Row(Position(1, 700 + number_, number_), envelope, b"{}")


@settings(max_examples=50)
@given(data=st.data(), written=st.integers(0, 20))
def test_the_first_message_that_the_rows_lack_is_found(data, written):
    """With any prefix of the rows, any cursor within it and any progress of the partitions, repeats included, a message
    is found if and only if one was sent that is no row of the prefix. Broken by a comparison of sequences alone.
    """
    kept = data.draw(st.integers(0, written))
    known = data.draw(st.integers(0, kept))
    history = [row(n, f"id-{n}") for n in range(1, written + 1)]
    nothing = dict.fromkeys(range(topics.EVENTS.partitions), 0)
    sent = dict(nothing)
    for message in number(history[:known], nothing):
        sent[message.partition] = message.envelope.sequence
    log = []
    for partition in nothing:
        own = [m.envelope for m in number(history, nothing) if m.partition == partition]
        reached = data.draw(st.integers(sent[partition], len(own)))
        repeated_from = data.draw(st.integers(0, reached))
        log += [LoggedMessage(partition, 0, e.sequence, e.message_id) for e in own[repeated_from:reached]]
        log += [LoggedMessage(partition, 0, e.sequence, e.message_id) for e in own[sent[partition] : reached]]
    after_promotion = [row(n, f"new-{n}") for n in range(kept + 1, kept + data.draw(st.integers(0, 5)) + 1)]
    rows = history[:kept] + after_promotion
    cursor = Cursor(
        position=history[known - 1].position if known else START,
        first=None,
        identity=DatabaseIdentity(1, 1),
        current_epoch=1,
        sent={p: LastSent(topic_id="t", last_offset=-1, last_sequence=s) for p, s in sent.items()},
    )
    lost = {message.message_id for message in log} - {r.envelope.message_id for r in history[:kept]}
    found = asyncio.run(first_lacking(Rows(rows), cursor, Tail(log)))
    assert (found is not None) == bool(lost)
    assert found is None or found.message_id in lost
