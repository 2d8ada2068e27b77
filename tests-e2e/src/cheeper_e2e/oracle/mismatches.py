"""Sentences on replies that differ from the write model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from cheeper_e2e.http.client import Client, Json, Reply
from cheeper_e2e.oracle.write_model import Row


def of_status(reply: Reply, status: int, code: str | None = None) -> list[str]:
    """Return a sentence if the reply has another status or code."""
    found = (reply.status, reply.data.get("code"))
    return [] if found == (status, code) else [f"{reply.curl} returns {found}, not {(status, code)}"]


def of_data(reply: Reply, wanted: Row) -> list[str]:
    """Return a sentence if the reply is not 200 with exactly these data."""
    if reply.status == 200 and reply.data == wanted:  # noqa: PLR2004 - an HTTP status
        return []
    return [f"{reply.curl} returns {reply.status} {reply.data}, not {wanted}"]


def of_entries(what: str, shown: Sequence[Json], wanted: Sequence[Row]) -> list[str]:
    """Return a sentence if a list shows other entries, or another order."""
    if list(shown) == list(wanted):
        return []
    pairs = enumerate(zip(shown, wanted, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(shown), len(wanted)))
    numbers = f"has {len(shown)} entries, not {len(wanted)}"
    return [f"{what} {numbers}; from number {place} on {shown[place : place + 2]}, not {wanted[place : place + 2]}"]


async def of_list(client: Client, path: str, wanted: Sequence[Row], **params: Any) -> list[str]:
    """Return a sentence if a list, walked by cursor, shows other entries or another order, or is no list."""
    try:
        shown = await client.whole_list(path, **params)
    except ValueError as error:
        return [str(error)]
    query = f"?{urlencode(params)}" if params else ""
    return of_entries(f"curl -s '{client.url}{path}{query}'", shown, wanted)
