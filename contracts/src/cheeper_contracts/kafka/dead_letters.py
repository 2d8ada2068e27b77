"""Dead letters: copies of parked messages on `cheeper.dead-letters`, for people and tools. The store keeps the message.

A copy has the message's own key, value and headers, followed by the headers of its DeadLetter.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from cheeper_contracts.kafka.envelope import Headers

Reason = Literal["malformed", "unknown type", "crashed", "behind"]

MALFORMED: Final = "malformed"
"""It cannot be read."""
UNKNOWN_TYPE: Final = "unknown type"
"""It is a command of a type that nobody here handles."""
CRASHED: Final = "crashed"
"""Our own code crashed on it, or the store refused what was made of it."""
BEHIND: Final = "behind"
"""It only waits, behind poison of its key."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A parked message: its place and the reason. Each field is a header, `dead_letter_` before its name, in UTF-8.

    `store`         the store that keeps it: `postgres`, `redis` or `mongo`
    `reason`        one of the words above
    `error`         what was wrong, in a sentence; empty for one that only waits
    `stack_digest`  16 hexadecimal digits, the same for failures at one place; empty for one that only waits
    `topic`, `partition`, `offset`  its place; the topic is empty if an older projector parked the message
    """

    store: str
    reason: Reason
    error: str
    stack_digest: str
    topic: str
    partition: int
    offset: int


def to_headers(letter: DeadLetter) -> Headers:
    """Return the headers of a copy, beside the message's own."""
    return [(f"dead_letter_{name}", str(value).encode()) for name, value in msgspec.structs.asdict(letter).items()]
