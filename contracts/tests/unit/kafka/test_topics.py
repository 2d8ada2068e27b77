from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from cheeper_contracts.kafka.topics import COMMANDS, DEAD_LETTERS, EVENTS, TOPICS, partition_of
from cheeper_contracts.partitions import PARTITIONS


@given(st.uuids().map(str))
def test_a_key_stays_in_its_partition(key):
    """A key's partition is within the topic and always the same."""
    assert 0 <= partition_of(key) < PARTITIONS
    assert partition_of(key) == partition_of(key)


def test_known_keys_stay_in_their_partition():
    """The partition of a key may never change, or its messages would be in two places, out of order."""
    keys = [str(UUID(int=number)) for number in range(8)]
    assert [partition_of(key) for key in keys] == [1, 7, 5, 3, 0, 6, 4, 2]


def test_keys_spread_over_all_partitions():
    """No partition is idle and none has more than twice its share."""
    counts = [0] * PARTITIONS
    for number in range(8_000):
        counts[partition_of(str(UUID(int=number * 2**64)))] += 1
    assert min(counts) > 500
    assert max(counts) < 2_000


def test_events_are_kept_for_ever():
    """The log of events is what views are rebuilt from."""
    assert EVENTS.config["retention.ms"] == "-1"
    assert EVENTS.config["cleanup.policy"] == "delete"


def test_a_command_is_on_disk_before_its_sender_gets_202():
    """Only the topic has it until the worker handles it, however late, so it is neither lost nor dropped by age."""
    assert COMMANDS.config["flush.messages"] == "1"
    assert COMMANDS.config["retention.ms"] == COMMANDS.config["retention.bytes"] == "-1"


def test_copies_of_dead_letters_are_bounded():
    """The messages themselves are in the stores; the copies are bounded in age, by the broker's clock, and in bytes."""
    config = DEAD_LETTERS.config
    assert (int(config["retention.ms"]), config["message.timestamp.type"]) == (30 * 24 * 3600 * 1000, "LogAppendTime")
    assert 2 * int(config["segment.bytes"]) <= int(config["retention.bytes"]) <= 2**28


def test_a_prefix_gives_an_installation_names_of_its_own():
    """Two installations on one broker share no topic."""
    assert {topic.named("a.") for topic in TOPICS}.isdisjoint(topic.named("b.") for topic in TOPICS)
