"""Golden files: a message of each type and version, byte for byte as Kafka carries it.

A golden file is written once, and never changed: it holds what consumers have already seen. The struct of its type must
read it, and write it again byte for byte, but for optional fields that the type has been given since.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from cheeper_contracts.kafka.envelope import Envelope, to_headers
from cheeper_contracts.messages import Command, Event

ROOT: Final = Path(__file__).resolve().parents[1]
COMMAND_ID: Final = "0195a1c8-52f4-7c7e-9d3a-4f6b2a1c0d11"
EVENT_ID: Final = "0195a1c8-52f9-7b1f-8a27-90f0c7b45e22"
MOMENT: Final = 1_647_292_130_123_456  # 2022-03-14T21:08:50.123456+00:00


def golden_file(type_name: str) -> Path:
    """Return the path of the golden bytes of a message type and version."""
    return ROOT / "examples" / f"{type_name}.message"


def golden_bytes(message: Command | Event, value: bytes) -> bytes:
    """Return a message as Kafka carries it: a line `name: value` per header, an empty line, then the value."""
    headers = b"".join(name.encode() + b": " + text + b"\n" for name, text in to_headers(_envelope_of(message)))
    return headers + b"\n" + value


def why_broken(struct: type[Command | Event], golden: bytes) -> str | None:
    """Return how a message's struct, in the version that was written, contradicts its golden bytes, or None."""
    value = golden.partition(b"\n\n")[2]
    try:
        message = msgspec.json.decode(value, type=struct)
    except msgspec.DecodeError as error:
        return f"its golden bytes can be read no longer, which breaks what is stored: {error}"
    fields = msgspec.json.decode(value)
    again = {name: each for name, each in msgspec.to_builtins(message).items() if name in fields}
    if golden_bytes(message, msgspec.json.encode(again)) != golden:
        return "its golden bytes are not written again as they are, which breaks its consumers"
    return None


def _envelope_of(message: Command | Event) -> Envelope:
    """Return the envelope of an example: a client's command has neither cause nor sequence, an event has both."""
    is_event = isinstance(message, Event)
    return Envelope(
        message_id=EVENT_ID if is_event else COMMAND_ID,
        type=message.TYPE,
        source="/write-api/worker" if is_event else "/write-api/http",
        time=MOMENT,
        key=message.key,
        correlation_id=COMMAND_ID,
        reply_to=COMMAND_ID if is_event else None,
        sequence=7 if is_event else None,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
