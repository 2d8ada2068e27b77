"""A parked message as the projector keeps it in both stores."""

from __future__ import annotations

from base64 import b64decode

import msgspec

from inspector.failed.messages import StoredMessage


class ParkedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that the inspector reads; the value is base64."""

    partition: int
    sequence: int | None = None
    topic_id: str = ""
    offset: int
    key: str
    type: str | None = None
    message_id: str | None = None
    behind: bool = False
    reason: str = msgspec.field(name="why", default="")
    value: str = ""
    source_topic: str | None = None

    def stored(self, store: str) -> StoredMessage:
        """Return the message in the form of all servers. Its id is the one of `projector dead-letters`."""
        place = f"{self.topic_id}@{self.offset}" if self.sequence is None else str(self.sequence)
        return StoredMessage(
            id=f"{store}:{self.partition}:{place}",
            topic=self.source_topic,
            partition=self.partition,
            offset=self.offset,
            sequence=self.sequence,
            key=self.key,
            message_id=self.message_id,
            type=self.type,
            behind=self.behind,
            reason=self.reason,
            value=b64decode(self.value),
        )
