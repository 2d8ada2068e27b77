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
    """Return a new UUID, version 7."""
    return str(uuid7())


def made_for(message_id: str, field: str) -> str:
    """Return the id for a field that the client left out. It is the same for every repeat of the command.

    It derives from the message id even if the client sent no Idempotency-Key: a client that learns that the outcome is
    unknown repeats the command with the response's message id as its key. The id is of version 7 if the message id
    contains a time, as ours and the gateway's do, and of version 5 otherwise.
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
    """Return the time in a message id, None if it contains none. The gateway writes it into the first twelve digits, in
    decimal and in units of ten milliseconds, since it cannot write hexadecimal.
    """
    if message.version == _TIME_ORDERED:
        return int.from_bytes(message.bytes[:6])
    digits = message.hex[:12]
    if message.version == _GATEWAYS and _DECIMAL_TIME.fullmatch(digits):
        return int(digits) * 10
    return None
