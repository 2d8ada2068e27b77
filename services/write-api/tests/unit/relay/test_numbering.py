"""The sequences of messages, and the state of a partition after their delivery."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.kafka import topics
from cheeper_contracts.kafka.envelope import Envelope
from write_api.relay.numbering import LastSent, LogWipedError, Position, Row, advance, number, sequences

pytestmark = pytest.mark.proves(guarantee="order")

KEYS = [f"key-{n}" for n in range(12)]
EMPTY = {p: LastSent(topic_id="t", last_offset=-1, last_sequence=0) for p in range(topics.EVENTS.partitions)}


def rows_of(keys):
    return [
        Row(
            Position(1, 700 + n, n),
            Envelope(message_id=str(n), type="t", source="/s", time=n, key=key, correlation_id=str(n)),
            b"{}",
        )
        for n, key in enumerate(keys)
    ]


def deliver(messages, ends):
    """Return the offsets that a broker gives."""
    offsets = {}
    for message in messages:
        offsets.setdefault(message.partition, []).append(ends[message.partition])
        ends[message.partition] += 1
    return offsets


@given(st.lists(st.sampled_from(KEYS), max_size=60), st.lists(st.integers(1, 7), min_size=60, max_size=60))
def test_sequences_rise_by_one_in_each_partition_however_the_rows_are_batched(keys, sizes):
    """A message's sequence is its rank among its partition's rows, and so the same for every way of batching."""
    rows, sent, ends = rows_of(keys), EMPTY, dict.fromkeys(EMPTY, 0)
    found, at = [], 0
    for size in sizes:
        messages = number(rows[at : at + size], sequences(sent))
        sent = {**sent, **advance(sent, deliver(messages, ends))}
        found += messages
        at += size
    for partition in EMPTY:
        there = [message.envelope for message in found if message.partition == partition]
        assert [envelope.sequence for envelope in there] == list(range(1, len(there) + 1))
        assert [e.message_id for e in there] == [
            row.envelope.message_id for row in rows if topics.partition_of(row.envelope.key) == partition
        ]
        assert sent[partition].last_sequence == len(there)


def test_only_the_partitions_that_were_sent_to_move():
    """The state of the other partitions is not written again."""
    assert set(advance(EMPTY, {3: [4]})) == {3}


@pytest.mark.parametrize("offsets", [[5], [4], [0], [6, 6]])
def test_an_offset_that_does_not_follow_shows_a_wiped_log(offsets):
    """A log that gives an offset again is not the log to which the cursor belongs."""
    sent = {p: LastSent(topic_id="t", last_offset=5, last_sequence=6) for p in EMPTY}
    with pytest.raises(LogWipedError):
        advance(sent, {3: offsets})


def test_an_offset_may_leave_some_out():
    """A batch that was sent and not recorded lies between, and is no reason to doubt the log."""
    sent = {p: LastSent(topic_id="t", last_offset=5, last_sequence=6) for p in EMPTY}
    (moved,) = advance(sent, {3: [9]}).values()
    assert moved == LastSent(topic_id="t", last_offset=9, last_sequence=7)
