"""A parked message: poison, or one that waits behind poison of its key."""

from __future__ import annotations

from base64 import b64decode, b64encode

import msgspec

from cheeper_contracts.kafka.envelope import Headers
from projector.messages.decoding import DecodedMessage, decoded


class ParkedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A whole message with the reason why it is parked, as a replay needs it.

    `sequence` is None if no number could be read; headers and value are base64. `stack_digest` is the same for failures
    at the same place, and None if the message only waits. `source_topic` is None if an older projector parked it.
    """

    partition: int
    sequence: int | None
    topic_id: str
    offset: int
    key: str
    type: str | None
    message_id: str | None
    correlation_id: str | None
    behind: bool
    reason: str = msgspec.field(name="why")
    headers: tuple[tuple[str, str], ...]
    value: str
    stack_digest: str | None = None
    source_topic: str | None = None

    @property
    def id(self) -> str:
        """The message's id in a store: `partition:sequence`, or else `partition:topic id@offset`."""
        place = f"{self.topic_id}@{self.offset}" if self.sequence is None else str(self.sequence)
        return f"{self.partition}:{place}"

    def raw_headers(self) -> Headers:
        """Return the headers as Kafka gave them."""
        return [(name, b64decode(value)) for name, value in self.headers]

    def raw_value(self) -> bytes:
        """Return the value as Kafka gave it, empty if there was none."""
        return b64decode(self.value)

    def decoded(self) -> DecodedMessage:
        """Decode the message again, by the code as it is now."""
        return decoded(
            topic=self.source_topic,
            partition=self.partition,
            offset=self.offset,
            key=self.key,
            headers=self.raw_headers(),
            value=self.raw_value(),
        )


def parked(
    message: DecodedMessage, topic_id: str, *, reason: str, behind: bool, stack_digest: str | None = None
) -> ParkedMessage:
    """Return the message as a store keeps it."""
    envelope = message.envelope
    return ParkedMessage(
        partition=message.partition,
        sequence=message.sequence,
        topic_id=topic_id,
        offset=message.offset,
        key=message.key,
        type=envelope.type if envelope else None,
        message_id=envelope.message_id if envelope else None,
        correlation_id=envelope.correlation_id if envelope else None,
        behind=behind,
        reason=reason,
        headers=tuple((name, b64encode(value or b"").decode()) for name, value in message.headers),
        value=b64encode(message.value or b"").decode(),
        stack_digest=stack_digest,
        source_topic=message.topic,
    )
