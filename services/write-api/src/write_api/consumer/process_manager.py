"""The process manager role: consumes `cheeper.events`, and makes of each event the commands that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from cheeper_contracts import codec, topics
from cheeper_contracts.dead_letters import MALFORMED
from cheeper_contracts.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from write_api.bus.ids import made_for
from write_api.bus.outcome import ReceivedCommand
from write_api.consumer.group_consumer import Subscription
from write_api.consumer.message import Letter, Received, content_of, crashed, unreadable
from write_api.process_managers import ProcessManager

SUBSCRIPTION: Final = Subscription(role="process-manager", topic=topics.EVENTS, batch=500)

log = structlog.get_logger()


class Reactions:
    """Reads events by a table of process managers. `source` is that of the commands' envelopes."""

    def __init__(self, table: Mapping[type[Event], Sequence[ProcessManager]], source: str) -> None:
        self._table = table
        self._source = source
        self._unknown: Counter[str] = Counter()

    def read(self, message: Received) -> tuple[ReceivedCommand, ...] | Letter:
        """The commands that follow from the event, or the letter to park it as.

        An event of a type that is not known here was written by a newer version: nothing follows from it, by rule.
        """
        try:
            event, envelope = content_of(message, codec.decode_event)
        except codec.UnknownMessageTypeError as error:
            self._unknown[str(error)] += 1
            log.warning("event of an unknown type skipped", so_far=self._unknown[str(error)], **message.told())
            return ()
        except ValueError as error:
            return unreadable(message, MALFORMED, error)
        try:
            commands = [manager(event, envelope) for manager in self._table.get(type(event), ())]
        except Exception as error:
            log.exception("process manager crashed", **message.told())
            return crashed(message, error)
        return tuple(self._incoming(command, envelope) for command in commands if command is not None)

    def _incoming(self, command: Command, cause: Envelope) -> ReceivedCommand:
        """The command in an envelope that is the same, to the byte, whenever the event comes again. Its time is the
        event's, so that one which is sent again after years does not pass for new.
        """
        envelope = Envelope(
            message_id=made_for(cause.message_id, command.TYPE),
            type=command.TYPE,
            source=self._source,
            time=cause.time,
            key=command.key,
            correlation_id=cause.correlation_id,
            reply_to=cause.message_id,
            traceparent=cause.traceparent,
        )
        return ReceivedCommand(command=command, envelope=envelope)
