"""An author's profile, counts, followers and following, and whom it mutes and blocks."""

from __future__ import annotations

from typing import Final

from cheeper_e2e.http.client import Client
from cheeper_e2e.oracle import mismatches
from cheeper_e2e.oracle.write_model import PROFILE, WriteModel, time_of

_PROFILE: Final = f"SELECT {PROFILE} FROM authors a WHERE a.author_id = %s"


def _people(of: str, shown: str) -> str:
    return f"""
        SELECT a.author_id::text, a.username, a.name, {time_of("f.followed_at")} AS followed_at
          FROM follows f JOIN authors a ON a.author_id = f.{shown} WHERE f.{of} = %s
         ORDER BY f.followed_at DESC, f.{shown} DESC
    """


def _hidden(table: str, other: str, time: str) -> str:
    return f"""
        SELECT a.author_id::text, a.username, a.name, {time_of(f"h.{time}")} AS {time}
          FROM {table} h JOIN authors a ON a.author_id = h.{other} WHERE h.author_id = %s
         ORDER BY h.{time} DESC, h.{other} DESC
    """


_LISTS: Final = {
    "followers": _people("to_author_id", "from_author_id"),
    "following": _people("from_author_id", "to_author_id"),
    "mutes": _hidden("mutes", "muted_id", "muted_at"),
    "blocks": _hidden("blocks", "blocked_id", "blocked_at"),
}


async def differences(client: Client, model: WriteModel, author_id: str) -> list[str]:
    """Return where the views differ on an author who signed up, or know an author who did not."""
    counter, profile = await client.followers_counter(author_id), await client.author(author_id)
    rows = model.rows(_PROFILE, author_id)
    if not rows:
        unknown = [counter, profile] + [await client.query(f"/author/{author_id}/{name}") for name in _LISTS]
        return [sentence for reply in unknown for sentence in mismatches.of_status(reply, 404, "author_not_found")]
    [row] = rows
    wanted = {
        "authorId": author_id,
        "authorUsername": row["username"],
        "numberOfFollowers": row["followers"],
    }
    sentences = mismatches.of_data(counter, wanted) + mismatches.of_data(profile, row)
    sentences += mismatches.of_data(await client.author_named(row["username"].swapcase()), row)
    for name, query in _LISTS.items():
        wanted_list = model.rows(query, author_id)
        sentences += await mismatches.of_list(client, f"/author/{author_id}/{name}", wanted_list)
    return sentences
