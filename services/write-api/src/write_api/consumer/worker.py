"""The worker role consumes `cheeper.commands`, each message of which is a command to run."""

from __future__ import annotations

from typing import Final

from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.dead_letters import MALFORMED, UNKNOWN_TYPE
from write_api.bus.bus import MAX_BATCH
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.group_consumer import Subscription
from write_api.consumer.message import ConsumedMessage, DeadLetter, content_of, unreadable

SOURCE: Final = "/write-api/worker"
"""The source of the messages that are made here."""

SUBSCRIPTION: Final = Subscription(role="worker", topic=topics.COMMANDS, batch=MAX_BATCH)


def decode(message: ConsumedMessage) -> tuple[ReceivedCommand] | DeadLetter:
    """Return the message's command, or its dead letter if it cannot be read."""
    try:
        command, envelope = content_of(message, codec.decode_command)
    except codec.UnknownMessageTypeError as error:
        return unreadable(message, UNKNOWN_TYPE, error)
    except ValueError as error:  # the base of the errors of envelope, value and UUID
        return unreadable(message, MALFORMED, error)
    return (ReceivedCommand(command=command, envelope=envelope),)
