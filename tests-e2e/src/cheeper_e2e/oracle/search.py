"""Search: every word of the query begins some word of the text, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from cheeper_contracts.words import words_of
from cheeper_e2e.http.client import Client
from cheeper_e2e.oracle import mismatches
from cheeper_e2e.oracle.write_model import CHEEP, PROFILE, Row, WriteModel

_CHEEPS: Final = f"""
    SELECT {CHEEP} FROM cheeps c JOIN authors w ON w.author_id = c.author_id
     WHERE c.deleted_at IS NULL ORDER BY c.cheep_date DESC, c.cheep_id DESC
"""
_COUNTED: Final = 1_000
"""The most that a search counts and shows."""
_AUTHORS: Final = f"SELECT {PROFILE} FROM authors a ORDER BY a.signed_up_at DESC, a.author_id DESC"


async def differences(
    client: Client, model: WriteModel, queries: Sequence[str], author_ids: Sequence[str]
) -> list[str]:
    """Return where searches differ: of all cheeps, of each author's, and of all authors."""
    cheeps = [(words_of(row["cheep_message"]), row) for row in model.rows(_CHEEPS)]
    authors = [(words_of(row["username"], row["name"]), row) for row in model.rows(_AUTHORS)]
    sentences = []
    for query in queries:
        found = _matching(cheeps, query)
        sentences += await _differing(client, "/search", query, found)
        sentences += await _differing(client, "/search", query, found[::-1], sort_order="asc")
        for author_id in author_ids:
            own = [row for row in found if row["author_id"] == author_id]
            sentences += await _differing(client, "/search", query, own, author_id=author_id)
        found = _matching(authors, query)
        sentences += await _differing(client, "/search/authors", query, found)
        sentences += await _differing(client, "/search/authors", query, found[::-1], sort_order="asc")
    return sentences


def _matching(texts: list[tuple[list[str], Row]], query: str) -> list[Row]:
    wanted = words_of(query)
    return [
        row for words, row in texts if all(any(word.startswith(beginning) for word in words) for beginning in wanted)
    ]


async def _differing(client: Client, path: str, query: str, wanted: list[Row], **params: Any) -> list[str]:
    try:
        shown = await client.whole_search(path, query, **params)
    except ValueError as error:
        return [str(error)]
    asked = urlencode({"q": query, **params})
    return mismatches.of_entries(f"curl -s '{client.url}{path}?{asked}'", shown, wanted[:_COUNTED])
