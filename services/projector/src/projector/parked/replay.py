"""Replay of parked messages: the code as it is now decodes and projects each of them again.

A key's messages are replayed in their order, each in one step of the store, up to the first that is still poison.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import msgspec

from cheeper_runtime.retry import retry_for
from projector.consumer.projecting import item_of, refused_by_store
from projector.consumer.traces import ProjectionTraces
from projector.messages.parked import ParkedMessage
from projector.projections import Project
from projector.stores.base import ParkedMessages, StoreUnavailableError, UnappliableError
from projector.stores.task_store import LeftOut

RETRY_SECONDS: Final = 15.0
"""An unavailable store is retried for so long: most likely it is a write conflict with a running projector."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a replay: the message was applied, but for the readers left out, or `error` says why it is still
    poison.
    """

    message: ParkedMessage
    error: str | None = None
    left_out: tuple[LeftOut, ...] = ()


def replay(
    store: ParkedMessages,
    project: Project,
    key: str,
    seconds: float = RETRY_SECONDS,
    traces: ProjectionTraces | None = None,
) -> Iterator[Replayed]:
    """Replay a key's messages one by one, those included that a running projector parks meanwhile.

    The last one may be still poison: it stays parked with those behind it. Raise StoreUnavailableError.
    """
    retry = retry_for(seconds, StoreUnavailableError)
    while (message := retry(store.first_of, key)) is not None:
        began, item = time.time_ns(), item_of(project, message.decoded())
        left_out = None
        if item.poison is None:
            try:
                left_out = retry(store.replay, message, item.writes)
            except UnappliableError as error:
                item = refused_by_store(item.message, error)
        if item.poison is not None:
            kept = msgspec.structs.replace(message, behind=False, reason=item.poison, stack_digest=item.stack_digest)
            store.restate(message, kept)
            yield Replayed(message=kept, error=item.poison)
            return
        if left_out is not None and traces is not None:
            traces.applied([item], (), began)
        if left_out is not None:  # else another process was faster, or the response to our own call was lost
            yield Replayed(message=message, left_out=left_out)
