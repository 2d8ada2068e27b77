"""What the views must show at rest, asked of the write model in SQL."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import psycopg
from psycopg.rows import dict_row

from cheeper_e2e.client import Client

_AUTHOR: Final = """
    SELECT author_id::text, username,
           (SELECT count(*) FROM follows WHERE to_author_id = a.author_id) AS followers,
           (SELECT count(*) FROM follows WHERE from_author_id = a.author_id) AS following,
           (SELECT count(*) FROM cheeps WHERE author_id = a.author_id AND deleted_at IS NULL) AS cheeps
      FROM authors a WHERE a.author_id = %s
"""
_TIMELINE: Final = """
    SELECT c.cheep_id::text, c.author_id::text, w.username AS author_username, c.message AS cheep_message,
           to_char(to_timestamp(c.cheep_date / 1000000), 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"') AS cheep_date
      FROM cheeps c JOIN follows f ON f.to_author_id = c.author_id JOIN authors w ON w.author_id = c.author_id
     WHERE f.from_author_id = %s AND c.deleted_at IS NULL
     ORDER BY c.cheep_date DESC, c.cheep_id DESC
"""

Row = dict[str, Any]


class Expected(msgspec.Struct, frozen=True):
    """An author's row with its counts (none where nobody signed up), and the author's timeline."""

    author: Row | None
    timeline: list[Row]


def expected(database_url: str, author_ids: list[str]) -> dict[str, Expected]:
    """What the write model says of each author."""
    with psycopg.connect(database_url, options="-c timezone=UTC", row_factory=dict_row) as connection:
        return {
            author_id: Expected(
                connection.execute(_AUTHOR, [author_id]).fetchone(),
                connection.execute(_TIMELINE, [author_id]).fetchall(),
            )
            for author_id in author_ids
        }


async def differences(client: Client, wanted: dict[str, Expected]) -> dict[str, list[str]]:
    """Where the views say otherwise than the write model, sentences by author."""
    found = {author_id: await _differing(client, author_id, want) for author_id, want in wanted.items()}
    return {author_id: sentences for author_id, sentences in found.items() if sentences}


async def _differing(client: Client, author_id: str, wanted: Expected) -> list[str]:
    sentences = []
    counter = await client.followers_counter(author_id)
    profile = await client.author(author_id)
    if wanted.author is None:
        sentences += [f"{reply.curl} answers {reply.status}" for reply in (counter, profile) if reply.status != 404]  # noqa: PLR2004
    else:
        want: Row = {
            "authorId": author_id,
            "authorUsername": wanted.author["username"],
            "numberOfFollowers": wanted.author["followers"],
        }
        if counter.data != want:
            sentences.append(f"{counter.curl} answers {counter.data}, not {want}")
        if not wanted.author.items() <= profile.data.items():
            sentences.append(f"{profile.curl} answers {profile.data}, not {wanted.author}")
    return sentences + await _timeline(client, author_id, wanted.timeline)


async def _timeline(client: Client, author_id: str, wanted: list[Row]) -> list[str]:
    shown = await client.whole_timeline(author_id)
    shown = [{name: cheep[name] for name in wanted[0]} for cheep in shown] if wanted else shown
    if shown == wanted:
        return []
    place = next(
        (n for n, (a, b) in enumerate(zip(shown, wanted, strict=False)) if a != b), min(len(shown), len(wanted))
    )
    numbers = f"has {len(shown)} cheeps, not {len(wanted)}"
    first = f"from number {place} on it shows {shown[place : place + 2]}, not {wanted[place : place + 2]}"
    return [f"the timeline of {author_id} {numbers}; {first}"]
