"""The audit's comparison, of one author's views alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, LiteralString
from uuid import UUID

from cheeper_audit.comparison.quiescence import NotQuiescentError, Quiescence
from cheeper_audit.difference import Difference
from cheeper_audit.stores import OtherVersionError, StoreUnavailableError
from cheeper_audit.stores.write_model import Span, Table
from cheeper_audit.views.table import SWEEPS
from cheeper_audit.views.view import Stores
from inspector.authors.state import Comparison

COMPARED: Final = 20
"""The number of an author's newest cheeps and notifications that are compared."""
PATIENCE_SECONDS: Final = 2.0
"""The time in which both sides must come to rest at the same point of the log."""

_CHEEPS: Final = "SELECT cheep_id::text FROM cheeps WHERE author_id = %s::uuid ORDER BY cheep_date DESC LIMIT %s"
_NOTIFICATIONS: Final = """
    SELECT notification_id::text FROM notifications WHERE author_id = %s::uuid ORDER BY notified_at DESC LIMIT %s
"""


def compare_author(stores: Stores, author_id: str) -> Comparison:
    """Return whether the views of an author equal the write model, at a moment at which nothing is on its way."""
    counts: dict[Table, int] = {}

    def compare() -> list[Difference]:
        ids: dict[Table, list[str]] = {
            "authors": [author_id],
            "cheeps": _ids(stores, _CHEEPS, author_id),
            "notifications": _ids(stores, _NOTIFICATIONS, author_id),
        }
        counts.update({table: len(of_table) for table, of_table in ids.items()})
        return list(_differences(stores, ids))

    try:
        found, _ = Quiescence(stores, patience=PATIENCE_SECONDS).compare(compare)
    except (NotQuiescentError, OtherVersionError, StoreUnavailableError) as error:
        return Comparison(equal=None, reason=str(error))
    return Comparison(
        equal=not found,
        differences=tuple(each.line for each in found),
        cheeps=counts["cheeps"],
        notifications=counts["notifications"],
    )


def span_of(identifier: str) -> Span:
    """Return the span that has this id alone: both sides read what is behind the id before it, up to it."""
    number = UUID(identifier).int
    return Span(None if number == 0 else str(UUID(int=number - 1)), identifier, (identifier,))


def _differences(stores: Stores, ids: dict[Table, list[str]]) -> Iterator[Difference]:
    for sweep in SWEEPS:
        for identifier in ids[sweep.table]:
            for view in sweep.of(stores.audited):
                yield from view.differences(stores, span_of(identifier))


def _ids(stores: Stores, query: LiteralString, author_id: str) -> list[str]:
    return [identifier for (identifier,) in stores.write_model.rows(query, author_id, COMPARED)]
