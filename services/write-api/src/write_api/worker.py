"""The worker: consumes `cheeper.commands`, each message of which is a command to be run."""

from __future__ import annotations

from typing import Final

from cheeper_contracts import codec, topics
from write_api.commands.bus import MAX_BATCH
from write_api.commands.outcome import Incoming
from write_api.consumer.member import Subscription
from write_api.consumer.received import MALFORMED, UNKNOWN_TYPE, Letter, Received, content_of

SUBSCRIPTION: Final = Subscription(role="worker", topic=topics.COMMANDS, batch=MAX_BATCH)


def read(message: Received) -> tuple[Incoming] | Letter:
    """The command that the message holds, or the letter to park it as."""
    try:
        command, envelope = content_of(message, codec.decode_command)
    except codec.UnknownMessageTypeError as error:
        return Letter(message=message, reason=UNKNOWN_TYPE, error=str(error))
    except ValueError as error:  # which an envelope, a value and a UUID that cannot be read all are
        return Letter(message=message, reason=MALFORMED, error=str(error))
    return (Incoming(command=command, envelope=envelope),)
