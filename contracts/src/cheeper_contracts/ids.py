"""The ids that derive from a message's id, and the time in an id."""

from __future__ import annotations

from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

_TIME_ORDERED: Final = 7
_GATEWAYS: Final = "8"


def made_for(message_id: str, field: str) -> str:
    """Return the id for a field that the client left out. It is the same for every repeat of the command.

    It derives from the message id even if the client sent no Idempotency-Key: a client that learns that the outcome is
    unknown repeats the command with the response's message id as its key. The id is of version 7 if the message id
    contains a time, as ours and the gateway's do, and of version 5 otherwise.
    """
    message = UUID(message_id)
    milliseconds = milliseconds_of(message_id)
    if milliseconds is None:
        return str(uuid5(message, field))
    raw = bytearray(milliseconds.to_bytes(6) + sha256(message.bytes + field.encode()).digest()[:10])
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(UUID(bytes=bytes(raw)))


def milliseconds_of(message_id: str) -> int | None:
    """Return the time in a message id, in milliseconds since the epoch, or None if it contains none. The gateway writes
    it into the first twelve digits, in decimal and in units of ten milliseconds, since it cannot write hexadecimal.
    """
    message = UUID(message_id)
    if message.version == _TIME_ORDERED:
        return int.from_bytes(message.bytes[:6])
    return gateway_milliseconds_of(str(message)) if message.version == int(_GATEWAYS) else None


def gateway_milliseconds_of(message_id: str) -> int | None:
    """Return the time at which the gateway received the request of a message, in milliseconds since the epoch, or None
    for an id, in lower case, of another kind. It takes 0.4 µs: the projector does it for each event.
    """
    digits = message_id[:8] + message_id[9:13]
    if message_id[14:15] == _GATEWAYS and digits.isdecimal() and digits.isascii():
        return int(digits) * 10
    return None
