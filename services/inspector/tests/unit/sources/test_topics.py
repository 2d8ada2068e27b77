"""Finding messages in a log in memory, over a consumer that behaves as Kafka's."""

import pytest
from confluent_kafka import TIMESTAMP_CREATE_TIME, KafkaError, KafkaException, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from cheeper_audit.stores import StoreUnavailableError
from cheeper_contracts.kafka.envelope import Envelope, to_headers
from inspector.sources.topics import MOST_READ, NEWEST_READ, SECONDS, KafkaTopics

ID = "0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11"
KEY = "a64a52cc-3ee9-4a15-918b-099e18b43119"
NOW = 1_795_000_000_000_000
SECOND = 1_000_000


class Message:
    def __init__(self, offset, headers, at):
        self._offset, self._headers, self._at = offset, headers, at

    def error(self):
        return None

    def offset(self):
        return self._offset

    def topic(self):
        return "cheeper.events"

    def partition(self):
        return 3

    def headers(self):
        return self._headers

    def value(self):
        return b"%d" % self._offset

    def timestamp(self):
        return TIMESTAMP_CREATE_TIME, self._at // 1_000


class End:
    """The end of a partition."""

    def error(self):
        return KafkaError(KafkaError._PARTITION_EOF)


class Log:
    """A consumer of one partition. `times` are those of the envelopes, None for what is no message of ours."""

    def __init__(self, times, *, first=0, logged=None):
        self.messages = [
            Message(first + place, _headers(first + place, at), (logged or times)[place] or 0)
            for place, at in enumerate(times)
        ]
        self.first, self.read, self._next = first, 0, 0

    def get_watermark_offsets(self, _partition, timeout):
        assert timeout > 0
        return self.first, self.first + len(self.messages)

    def offsets_for_times(self, partitions, timeout):
        assert timeout > 0
        [wanted] = partitions
        found = next((each.offset() for each in self.messages if each.timestamp()[1] >= wanted.offset), -1)
        return [TopicPartition(wanted.topic, wanted.partition, found)]

    def assign(self, partitions):
        [self._next] = [each.offset for each in partitions]

    def consume(self, number, _timeout):
        found = self.messages[self._next - self.first :][:number]
        self._next += len(found)
        self.read += len(found)
        return found or [End()]


def _headers(offset, at):
    if at is None:
        return [("other", b"x")]
    envelope = Envelope(
        message_id=_id(offset), type="t", source="s", time=at, key=KEY, correlation_id=ID, sequence=offset + 1
    )
    return to_headers(envelope)


def _id(offset):
    return f"0195a1c8-52f4-7c7e-9d3a-{offset:012x}"


def topics_of(log, **options):
    return KafkaTopics(lambda: log, "", **options)


def is_at(offset):
    return lambda each: each.envelope.message_id == _id(offset)


@given(st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=400), st.data())
def test_an_event_is_found_by_the_time_in_its_envelope(gaps, data):
    """Any event of a log whose times rise is found, wherever the log begins and whatever time Kafka keeps with it."""
    times = [NOW + sum(gaps[: place + 1]) for place in range(len(gaps))]
    place, first = data.draw(st.integers(0, len(times) - 1)), data.draw(st.sampled_from([0, 1_000_000]))
    log = Log(times, first=first, logged=[NOW + 10**12] * len(times))
    found = topics_of(log).find("events", 3, times[place], is_at(first + place))
    assert [each.place.offset for each in found] == [first + place]


def test_an_event_of_a_long_log_is_found_in_few_reads():
    """The cost of finding one grows with the logarithm of the log: here some hundred messages of ten thousand."""
    log = Log(range(NOW, NOW + 10_000 * SECOND, SECOND))
    [found] = topics_of(log).find("events", 3, NOW + 7_777 * SECOND, is_at(7_777))
    assert found.place.offset == 7_777
    assert log.read < 600


def test_a_search_ends():
    """A message that is not there costs a bounded number of reads."""
    log = Log([NOW] * 4_000)
    assert topics_of(log).find("events", 3, NOW, is_at(99_999)) == ()
    assert log.read <= MOST_READ + 20


def test_a_command_is_found_by_the_time_that_kafka_keeps():
    """A process manager's command of an old event is at the place of the time at which it was sent."""
    sent = [NOW + number * SECOND for number in range(3_000)]
    log = Log([NOW] * 3_000, logged=sent)
    [found] = topics_of(log).find("commands", 3, sent[2_500], is_at(2_500))
    assert (found.place.offset, found.place.at) == (2_500, sent[2_500])


def test_a_command_of_a_later_time_than_all_is_not_there():
    """Kafka has no offset for such a time."""
    assert topics_of(Log([NOW])).find("commands", 3, NOW + 3_600 * SECOND, is_at(0)) == ()


def test_what_is_no_message_of_ours_is_skipped():
    """A message without an envelope hides none behind it."""
    log = Log([NOW, None, None, NOW + 1])
    assert [each.place.offset for each in topics_of(log).find("events", 3, NOW, is_at(3))] == [3]


def test_the_newest():
    """The newest messages are those at the end, a bounded number of them; an empty partition has none."""
    log = Log(range(NOW, NOW + 2_000))
    found = topics_of(log).newest("events", 3, lambda _: True)
    assert [each.place.offset for each in found] == list(range(2_000 - NEWEST_READ, 2_000))
    assert topics_of(Log([])).newest("events", 3, lambda _: True) == ()


def test_a_slow_broker_is_unavailable():
    """All that one request reads has a bounded time."""
    times = iter([0.0, SECONDS + 1])
    with pytest.raises(StoreUnavailableError, match="in time"):
        topics_of(Log([NOW]), clock=lambda: next(times)).newest("events", 3, lambda _: True)


def test_an_error_of_the_broker_is_a_sentence():
    """An exception of the driver names the setting, and no host."""

    def connect():
        raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    with pytest.raises(StoreUnavailableError, match=r"KAFKA_BOOTSTRAP_SERVERS.*_ALL_BROKERS_DOWN"):
        KafkaTopics(connect, "").newest("events", 3, lambda _: True)


def test_the_ends_of_a_partition_without_a_leader_are_unknown():
    """The search says so, as for a broker that does not respond; it does not find the log empty."""
    log = Log([NOW], first=0)
    log.get_watermark_offsets = lambda *_, **__: (0, -1001)
    with pytest.raises(StoreUnavailableError):
        topics_of(log).find("events", 3, NOW, is_at(0))
