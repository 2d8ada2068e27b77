"""The documents of cheeps and answers, and the rest of deleted ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.mongo.base import MongoView
from cheeper_contracts import views
from cheeper_contracts.words import words_of

_CHEEPS: Final = """
    SELECT c.cheep_id::text, c.deleted_at, c.author_id::text, a.username, c.message, c.cheep_date,
           c.in_reply_to::text, c.edited_at,
           (SELECT count(*) FROM cheeps AS r WHERE r.in_reply_to = c.cheep_id AND r.deleted_at IS NULL)
      FROM cheeps AS c JOIN authors AS a ON a.author_id = c.author_id WHERE c.cheep_id = ANY(%s::uuid[])
"""

_Document = views.CheepDocument | views.DeletedCheepDocument


class Cheeps(MongoView):
    """A document a cheep."""

    collection = views.CHEEPS

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, _Document]:
        """Implement MongoView."""
        return {row[0]: _document(row) for row in write_model.rows(_CHEEPS, list(ids))}


def _document(row: tuple[Any, ...]) -> _Document:
    cheep_id, deleted_at, author_id, username, message, cheep_date, in_reply_to, edited_at, answers = row
    if deleted_at is not None:
        return views.DeletedCheepDocument(cheep_id=cheep_id, deleted_at=deleted_at, number_of_answers=answers)
    return views.CheepDocument(
        cheep_id=cheep_id,
        author_id=author_id,
        author_username=username,
        message=message,
        cheep_date=cheep_date,
        in_reply_to=in_reply_to,
        edited_at=edited_at,
        words=words_of(message),
        number_of_answers=answers,
    )
