"""Waiting until the worker has handled what was accepted."""

from __future__ import annotations

import asyncio
import time

from confluent_kafka import KafkaException

from cheeper_local.servers import kafka_protocol
from cheeper_local.servers.kafka_protocol import Progress

_DRAIN_SECONDS = 30.0
_PAUSE = 0.1
_UNCHANGED_SECONDS = 1.0


async def has_drained(bootstrap: str, group: str, topic: str) -> bool:
    """Wait until no command is left and no offset has moved for a while. Return False after the time-out."""
    deadline = time.monotonic() + _DRAIN_SECONDS
    before, unchanged_since = None, time.monotonic()
    while time.monotonic() < deadline:
        now = await asyncio.to_thread(_progress, bootstrap, group, topic)
        if now is None or now.left or now != before:
            before, unchanged_since = now, time.monotonic()
        elif time.monotonic() - unchanged_since > _UNCHANGED_SECONDS:
            return True
        await asyncio.sleep(_PAUSE)
    return False


def _progress(bootstrap: str, group: str, topic: str) -> Progress | None:
    """Return the worker's progress, None if the broker does not respond."""
    try:
        return kafka_protocol.progress(bootstrap, group, topic)
    except KeyError:
        return Progress({}, 0)  # no topic, and so no command
    except KafkaException:
        return None
