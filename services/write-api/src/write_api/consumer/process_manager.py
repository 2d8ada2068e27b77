"""The process manager role consumes `cheeper.events`, and sends the commands that follow from each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import structlog

from cheeper_contracts.actors import SYSTEM_ACTOR
from cheeper_contracts.kafka import codec, topics
from cheeper_contracts.kafka.dead_letters import MALFORMED
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command, Event
from write_api.bus.ids import made_for
from write_api.bus.outcome import ReceivedCommand
from write_api.bus.unit_of_work import Checkpoint
from write_api.consumer.batch import Run
from write_api.consumer.group_consumer import Subscription
from write_api.consumer.message import ConsumedMessage, DeadLetter, content_of, crashed, unreadable
from write_api.process_managers import ProcessManager

SOURCE: Final = "/write-api/process-manager"
"""The source of the messages that are made here."""

SUBSCRIPTION: Final = Subscription(role="process-manager", topic=topics.EVENTS, batch=500)

log = structlog.get_logger()


def without_checkpoints(send: Callable[[Sequence[ReceivedCommand]], Awaitable[object]]) -> Run:
    """Return `send` for a batch: commands that are sent leave nothing behind that a checkpoint could go with."""

    async def run(batch: Sequence[ReceivedCommand], checkpoints: Sequence[Checkpoint]) -> None:
        del checkpoints
        await send(batch)

    return run


class EventDecoder:
    """Decodes events into commands by a table of process managers. `source` is that of the commands' envelopes."""

    def __init__(self, table: Mapping[type[Event], Sequence[ProcessManager]], source: str) -> None:
        self._table = table
        self._source = source
        self._unknown: Counter[str] = Counter()

    def decode(self, message: ConsumedMessage) -> tuple[ReceivedCommand, ...] | DeadLetter:
        """Return the commands that follow from the event, or its dead letter.

        An event of an unknown type was written by a newer version: by rule, nothing follows from it here.
        """
        try:
            event, envelope = content_of(message, codec.decode_event)
        except codec.UnknownMessageTypeError as error:
            self._unknown[str(error)] += 1
            log.warning("event of an unknown type skipped", so_far=self._unknown[str(error)], **message.log_fields())
            return ()
        except ValueError as error:
            return unreadable(message, MALFORMED, error)
        try:
            commands = [manager(event, envelope) for manager in self._table.get(type(event), ())]
        except Exception as error:
            log.exception("process manager crashed", **message.log_fields())
            return crashed(message, error)
        return tuple(self._in_envelope(command, envelope) for command in commands if command is not None)

    def _in_envelope(self, command: Command, cause: Envelope) -> ReceivedCommand:
        """Return the command in an envelope that is the same, to the byte, whenever the event is redelivered.

        Its time is the event's: a command that is sent again after years must not look new.
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
            actor=SYSTEM_ACTOR,
        )
        return ReceivedCommand(command=command, envelope=envelope)
