"""Replaying what is parked: decoded and projected again by the code as it is now, each message in one step of its
store, a key's in their order, up to the first that is still poison.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec

from projector.consumer.projecting import item_of, refused_by_store
from projector.ops.retry import pauses
from projector.parked.message import ParkedMessage
from projector.projections import Project
from projector.stores.base import LeftOut, ParkedMessages, StoreUnavailableError, UnappliableError

PATIENCE = 15.0
"""Seconds that a fault which passes is waited for: a write conflict with a running projector, most likely."""

T = TypeVar("T")


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a parked message: applied, but for readers with broken timelines; or still poison, and why."""

    message: ParkedMessage
    why_not: str | None = None
    left_out: tuple[LeftOut, ...] = ()


def replay(store: ParkedMessages, project: Project, key: str, patience: float = PATIENCE) -> Iterator[Replayed]:
    """Replays a key's messages one by one; the last one told of may be still poison, and is kept with those behind it.

    Ends when none is left, those included that a running projector parks meanwhile. Raises StoreUnavailableError.
    """
    while (message := _patiently(lambda: store.first_of(key), patience)) is not None:
        item = item_of(project, message.decoded())
        why_not, left_out = item.poison, None
        if why_not is None:
            try:
                left_out = _patiently(lambda m=message, i=item: store.replay(m, i.writes), patience)  # type: ignore[misc]
            except UnappliableError as error:
                item = refused_by_store(item.message, error)
                why_not = item.poison
        if why_not is not None:
            now = msgspec.structs.replace(message, behind=False, why=why_not, stack_digest=item.stack_digest)
            store.restate(message, now)
            yield Replayed(message=now, why_not=why_not)
            return
        if left_out is not None:  # else another one was faster, or our own call whose answer was lost
            yield Replayed(message=message, left_out=left_out)


def _patiently(action: Callable[[], T], patience: float) -> T:
    waits, deadline = pauses(), time.monotonic() + patience
    while True:
        try:
            return action()
        except StoreUnavailableError:
            if time.monotonic() > deadline:
                raise
            time.sleep(next(waits))
