"""Where a consumer is in each partition, and what to do when the log does not go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from projector.consumer.decoding import DecodedMessage
from projector.stores.base import Checkpoint


class Search(IntEnum):
    """What has been tried since a message was last found missing."""

    NONE = 0
    FROM_CHECKPOINT = 1
    FROM_BEGINNING = 2  # the last one: if it is not there, read on until the relay has sent it again


class Position:
    """The store's checkpoint of one partition as we know it, and the search for a message that is missing."""

    def __init__(self) -> None:
        self.checkpoint = Checkpoint()
        self.search = Search.NONE

    def moved(self, checkpoint: Checkpoint) -> None:
        """The store holds more now. What was missing, if anything was, has been found."""
        if checkpoint.sequence > self.checkpoint.sequence:
            self.search = Search.NONE
        self.checkpoint = checkpoint

    def missing(self) -> bool:
        """A message is missing: true when reading should start elsewhere, false when there is nothing left to try."""
        if self.search is Search.FROM_BEGINNING:
            return False
        self.search = Search(self.search + 1)
        return True

    def next_offset(self, topic_id: str) -> int | None:
        """Where to read on in the topic of that id; none for its beginning."""
        if self.search is Search.FROM_BEGINNING or self.checkpoint.topic_id != topic_id:
            return None
        return self.checkpoint.offset + 1

    def last_again(self, messages: Sequence[DecodedMessage], topic_id: str) -> list[DecodedMessage]:
        """The last message that the store has, if it is among these and the topic is another one than it came from.

        The store takes it for a duplicate, and its new place for its checkpoint's.
        """
        if self.checkpoint.topic_id == topic_id:
            return []
        return [message for message in messages if message.sequence == self.checkpoint.sequence][:1]

    def continued_by(self, messages: Sequence[DecodedMessage]) -> tuple[list[DecodedMessage], bool]:
        """The messages that follow, without those that the store has, and whether one is missing among them.

        Nothing after a gap is taken, unless the whole log is searched for what is missing.
        A message without a sequence is kept: the store knows it by its place.
        """
        fresh, last, gap = [], self.checkpoint.sequence, False
        for message in messages:
            if message.sequence is None:
                fresh.append(message)
            elif message.sequence == last + 1:
                fresh.append(message)
                last = message.sequence
            elif message.sequence > last:
                gap = True
                if self.search is not Search.FROM_BEGINNING:
                    break
        return fresh, gap
