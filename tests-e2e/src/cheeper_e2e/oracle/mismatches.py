"""Sentences on where an answer is another one than the write model gives."""

from __future__ import annotations

from collections.abc import Sequence

from cheeper_e2e.http.client import Client, Json, Reply
from cheeper_e2e.oracle.write_model import Row


def of_status(reply: Reply, status: int, code: str | None = None) -> list[str]:
    """Where the answer has another status, or another code."""
    found = (reply.status, reply.data.get("code"))
    return [] if found == (status, code) else [f"{reply.curl} answers {found}, not {(status, code)}"]


def of_data(reply: Reply, wanted: Row) -> list[str]:
    """Where the answer is not 200 with just these data."""
    if reply.status == 200 and reply.data == wanted:  # noqa: PLR2004 - an HTTP status
        return []
    return [f"{reply.curl} answers {reply.status} {reply.data}, not {wanted}"]


def of_entries(what: str, shown: Sequence[Json], wanted: Sequence[Row]) -> list[str]:
    """Where a list shows others, or in another order."""
    if list(shown) == list(wanted):
        return []
    pairs = enumerate(zip(shown, wanted, strict=False))
    place = next((n for n, (one, other) in pairs if one != other), min(len(shown), len(wanted)))
    numbers = f"has {len(shown)} entries, not {len(wanted)}"
    return [f"{what} {numbers}; from number {place} on {shown[place : place + 2]}, not {wanted[place : place + 2]}"]


async def of_list(client: Client, path: str, wanted: Sequence[Row]) -> list[str]:
    """Where a list that is walked by cursor shows others, in another order, or is no list."""
    try:
        shown = await client.whole_list(path)
    except ValueError as error:
        return [str(error)]
    return of_entries(f"curl -s {client.url}{path}", shown, wanted)
