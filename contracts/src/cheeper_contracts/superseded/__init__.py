"""Versions of messages that are read for ever and written no more, one file each, with its upcaster.

The log is kept for ever, so whatever was once written stays readable. Decoding applies the upcaster
(`cheeper_contracts.kafka.codec`), so no consumer sees a superseded version. An upcaster leads to the current version:
where that becomes another one, the type checker names the upcasters to follow it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cheeper_contracts.messages import Command, Event
from cheeper_contracts.superseded.author_unfollowed_v1 import AuthorUnfollowedV1, as_author_unfollowed

SUPERSEDED_COMMANDS: Final[dict[type[Command], Callable[[Any], Command]]] = {}
SUPERSEDED_EVENTS: Final[dict[type[Event], Callable[[Any], Event]]] = {
    AuthorUnfollowedV1: as_author_unfollowed,
}
