"""Copies of parked messages that the broker does not take are logged, and block nothing."""

import os
import socket

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource
from structlog.testing import capture_logs

from cheeper_contracts.kafka.topics import DEAD_LETTERS
from cheeper_local.testing import until
from projector.kafka import dead_letter_topic as dead_letters
from projector.messages.decoding import decode
from projector.messages.parked import parked

pytestmark = pytest.mark.proves(guarantee="poison")

LOST = "dead letter not copied"


@pytest.fixture
def letters(kafka):
    """The copies of the test's topics."""
    producer = Producer({"bootstrap.servers": kafka.servers, "log_level": 0})
    copies = dead_letters.DeadLetters(producer, DEAD_LETTERS.named(kafka.prefix))
    yield copies
    copies.close()


def letter(story, author, text):
    sent = story.add(story.followed(author(), author()).event, value=text.encode())
    return parked(decode(sent.message), "topic id", behind=False, reason="a test")


def lost(logs):
    return [line["message_id"] for line in logs if line["event"] == LOST]


@pytest.mark.skipif(os.environ.get("BROKER") == "tansu", reason="Tansu takes messages of any size")
def test_a_copy_that_the_broker_refuses_is_logged_while_all_goes_on(kafka, letters, story, author):
    """The refused one is named in a warning, with what librdkafka calls the error, and the others are there.

    Fails where `copy` asks for no report of the delivery, or `poll` does not take it.
    """
    narrow = ConfigEntry("max.message.bytes", "1000", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ConfigResource.Type.TOPIC, DEAD_LETTERS.named(kafka.prefix), incremental_configs=[narrow])
    kafka.admin.incremental_alter_configs([topic])[topic].result(60)
    refused, taken = letter(story, author, "x" * 5_000), letter(story, author, "short")

    def is_logged():  # the broker learns of its limit in its own time
        letters.copy(refused, "redis")
        letters.poll()
        return lost(logs)

    def is_there():  # not in one batch with the one before
        letters.copy(taken, "redis")
        return b"short" in [copy.value() for copy in kafka.dead_letters()]

    with capture_logs() as logs:
        until(is_logged)
        until(is_there)
    logged = next(line for line in logs if line["event"] == LOST)
    assert (logged["message_id"], logged["log_level"]) == (refused.message_id, "warning")
    assert "size" in logged["reason"]


def test_copies_that_can_no_longer_be_sent_are_logged_at_the_end(story, author, monkeypatch):
    """With the broker unavailable the consumer ends within its time, and each copy that is lost is named.

    Fails where `close` leaves what `flush` left.
    """
    monkeypatch.setattr(dead_letters, "_LAST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as taken:  # which nobody listens to
        port = taken.getsockname()[1]
    copies = dead_letters.DeadLetters(Producer({"bootstrap.servers": f"127.0.0.1:{port}", "log_level": 0}), "letters")
    sent = [letter(story, author, "short") for _ in range(3)]
    with capture_logs() as logs:
        for one in sent:
            copies.copy(one, "mongo")
        copies.close()
    assert lost(logs) == [one.message_id for one in sent]
