"""The write model and the read models of an author, side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from cheeper_contracts import views
from inspector.attempts import Attempts
from inspector.trace.effects import DocumentRef, KeyRef, RowRef
from inspector.trace.evidence import Readers
from inspector.trace.model import Row, View

CHEEPS_SHOWN: Final = 5
"""The number of an author's newest cheeps that are shown."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The audit's comparison of one author. `equal` is None if it could not be made, and `reason` says why.

    `cheeps` and `notifications` are the numbers of the newest ones that were compared, beside the author's own views.
    """

    equal: bool | None
    reason: str | None = None
    differences: tuple[str, ...] = ()
    cheeps: int = 0
    notifications: int = 0


class AuthorState(msgspec.Struct, frozen=True, kw_only=True):
    """The response. The rows, keys and documents are read one after the other; the comparison has its own snapshot."""

    author_id: str
    exists: bool
    rows: tuple[Row, ...] = ()
    keys: tuple[View, ...] = ()
    documents: tuple[View, ...] = ()
    comparison: Comparison | None = None
    unavailable: dict[str, str] = {}


Compare = Callable[[str], Comparison]


def author_state(author_id: str, readers: Readers, compare: Compare) -> AuthorState:
    """Return the state of an author, of whom the stores may know something that the write model does not."""
    attempts = Attempts()
    exists = attempts.read("postgres", lambda: readers.write_model.has_author(author_id), None)
    cheeps = attempts.read("postgres", lambda: readers.write_model.newest_cheeps(author_id, CHEEPS_SHOWN), ())
    rows = [RowRef("authors", (author_id,)), *(RowRef("cheeps", (each,)) for each in cheeps)]
    keys = [
        KeyRef(views.AUTHOR_COUNTERS, author_id),
        KeyRef(views.TIMELINE, author_id),
        *(KeyRef(views.CHEEP_RECORD, each) for each in cheeps),
    ]
    documents = [DocumentRef(views.AUTHORS, author_id), *(DocumentRef(views.CHEEPS, each) for each in cheeps)]
    return AuthorState(
        author_id=author_id,
        exists=exists is True,
        rows=attempts.read("postgres", lambda: readers.write_model.rows(rows), ()),
        keys=attempts.read("redis", lambda: readers.redis.shown(keys), ()),
        documents=attempts.read("mongo", lambda: readers.mongo.shown(documents), ()),
        comparison=compare(author_id),
        unavailable=attempts.unavailable,
    )
