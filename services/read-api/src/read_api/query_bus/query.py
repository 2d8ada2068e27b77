"""What all queries share: the question, what is found, and how a look-up fails.

NotFoundError     nothing there: author_not_found, cheep_not_found, command_not_found
StoreAwayError    the store did not answer in time
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Generic, Protocol, TypeVar

import msgspec

WAIT_SECONDS = 5.0
WAIT_SECONDS_MAX = 10.0

Data = TypeVar("Data")


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A question. `after` is the id of a command whose effects the answer must show, `timeout` how many seconds to
    wait for them at most.
    """

    after: str | None = None
    timeout: float = WAIT_SECONDS


class Found(msgspec.Struct, Generic[Data], frozen=True, kw_only=True):
    """What a look-up found: none where there is no such thing. `settled` is whether `after`'s effects were in it (true
    where nothing was to be waited for), `next_cursor` where a list goes on.
    """

    data: Data | None
    settled: bool = True
    next_cursor: str | None = None


class Settlements(Protocol):
    """Knows which commands' effects are in one view."""

    async def __call__(self, message_ids: Collection[str]) -> set[str]:
        """Those of the commands whose effects are in. Raises StoreAwayError."""


class NotFoundError(LookupError):
    """There is nothing of that id. `code` is one of `answers.STATUS_OF`, the text one sentence for the client, and
    `stale` whether what `after` names was not in yet, so that there may be something later.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.stale = False


class StoreAwayError(ConnectionError):
    """A store did not answer in time. The text is for the log, never for a client."""

    def __init__(self, store: str, why: str) -> None:
        super().__init__(f"{store}: {why}")
        self.store = store


def author_not_found(author_id: str) -> NotFoundError:
    """As the book prints it."""
    return NotFoundError("author_not_found", f'Author "{author_id}" does not exist')


def cheep_not_found(cheep_id: str) -> NotFoundError:
    """As for an author."""
    return NotFoundError("cheep_not_found", f'Cheep "{cheep_id}" does not exist')
