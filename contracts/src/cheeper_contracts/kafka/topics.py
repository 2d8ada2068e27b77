"""The Kafka topics, and where within one a key's messages go.

A key's partition is fixed by the key and the partition count alone; both are therefore the same for every producer and
may never change for a topic that holds messages. `write-api migrate` makes the topics, and every process checks their
partition count when it starts.
"""

from __future__ import annotations

from typing import Final
from zlib import crc32

import msgspec

from cheeper_contracts.partitions import PARTITIONS


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """A topic's name, its number of partitions, and its settings as Kafka spells them."""

    name: str
    partitions: int
    config: dict[str, str]

    def named(self, prefix: str) -> str:
        """Return the name on a broker that several installations share."""
        return prefix + self.name


COMMANDS: Final = Topic(
    name="cheeper.commands",
    partitions=PARTITIONS,
    # For ever, since its sender got a 202: a worker that stopped for a person must find all of it, however late. On
    # disk before it is acknowledged, since nothing else has the command: Kafka would leave that to the kernel, which
    # holds up to 30 s back, and a power cut of the only broker would take them.
    config={"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete", "flush.messages": "1"},
)
EVENTS: Final = Topic(
    name="cheeper.events",
    partitions=PARTITIONS,
    config={"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"},
)
DEAD_LETTERS: Final = Topic(
    name="cheeper.dead-letters",
    partitions=1,
    # Copies: 30 days, or 256 MiB. Their age is by the broker's clock, since a sender's may be any.
    config={
        "retention.ms": str(30 * 24 * 3600 * 1000),
        "retention.bytes": str(256 * 2**20),
        "segment.bytes": str(16 * 2**20),
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "delete",
    },
)

TOPICS: Final = (COMMANDS, EVENTS, DEAD_LETTERS)


def partition_of(key: str, partitions: int = PARTITIONS) -> int:
    """Return the partition of a key: CRC-32 of its bytes, as librdkafka's `consistent` partitioner has it."""
    return crc32(key.encode()) % partitions
