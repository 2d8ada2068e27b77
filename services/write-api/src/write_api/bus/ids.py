"""The ids that this service makes."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from uuid_utils import uuid7

_TIME_ORDERED: Final = 7
_GATEWAYS: Final = 8
_DECIMAL_TIME: Final = re.compile(r"[0-9]{12}")


def new_id() -> str:
    """A new UUID, version 7."""
    return str(uuid7())


def made_for(message_id: str, field: str) -> str:
    """The id that is made for a field which the client left out: the same whenever the same command comes again.

    It derives from the message id even where the client sent no Idempotency-Key, since a client that was told that the
    outcome is unknown repeats the command with the answer's message id as its key. It is of version 7 where the message
    id tells a time, ours and the gateway's do; otherwise of version 5.
    """
    message = UUID(message_id)
    milliseconds = _milliseconds_of(message)
    if milliseconds is None:
        return str(uuid5(message, field))
    raw = bytearray(milliseconds.to_bytes(6) + sha256(message.bytes + field.encode()).digest()[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(UUID(bytes=bytes(raw)))


def _milliseconds_of(message: UUID) -> int | None:
    """The time that a message id tells. The gateway's say it in their first twelve digits, in decimal, in units of ten
    milliseconds, since it cannot write hexadecimal.
    """
    if message.version == _TIME_ORDERED:
        return int.from_bytes(message.bytes[:6])
    digits = message.hex[:12]
    if message.version == _GATEWAYS and _DECIMAL_TIME.fullmatch(digits):
        return int(digits) * 10
    return None
