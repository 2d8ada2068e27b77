"""Notifications: those that the write model holds, and those that it must hold.

Process managers send their commands when an event has been relayed, so the write model itself is at rest only when each
event that notifies an author has its notification: `missing` returns those without one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from cheeper_contracts.events.author_followed import AuthorFollowed
from cheeper_contracts.events.author_notified import AuthorNotified
from cheeper_e2e.http.client import Client
from cheeper_e2e.http.requester import given
from cheeper_e2e.oracle import mismatches
from cheeper_e2e.oracle.write_model import WriteModel, time_of

_HELD: Final = f"""
    SELECT n.notification_id::text, n.kind, n.from_author_id::text AS author_id, w.username AS author_username,
           n.cheep_id::text, c.message AS cheep_message, {time_of("n.notified_at")} AS at,
           coalesce((n.notified_at, n.notification_id) <= (o.read_notified_at, o.read_notification_id), FALSE) AS read
      FROM notifications n JOIN authors o ON o.author_id = n.author_id
      LEFT JOIN authors w ON w.author_id = n.from_author_id
      LEFT JOIN cheeps c ON c.cheep_id = n.cheep_id AND c.deleted_at IS NULL
     WHERE n.author_id = %s ORDER BY n.notified_at DESC, n.notification_id DESC
"""
_HIDDEN: Final = """
    SELECT muted_id::text AS author_id FROM mutes WHERE author_id = %s
    UNION SELECT blocked_id::text FROM blocks WHERE author_id = %s
    UNION SELECT author_id::text FROM blocks WHERE blocked_id = %s
"""
_MUST_HOLD: Final = """
    SELECT 'welcome' AS kind, NULL AS author_id, NULL AS cheep_id FROM authors WHERE author_id = %s
    UNION ALL
    SELECT 'answer', answer.author_id::text, answer.cheep_id::text
      FROM cheeps answer JOIN cheeps parent ON parent.cheep_id = answer.in_reply_to
     WHERE parent.author_id = %s AND answer.author_id <> parent.author_id
"""
# A follow's row goes with an unfollow, its event stays.
_FOLLOWED: Final = """
    SELECT payload ->> 'from_author_id' AS author_id, (payload ->> 'followed_at')::bigint AS at
      FROM outbox WHERE key = %s AND type = %s ORDER BY 2
"""
_COUNTED: Final = 50
"""The number of the newest notifications that are counted if they are unread."""
_QUIET: Final = 24 * 3600 * 1_000_000
"""Microseconds after a notification about a follower in which there is no other one about the same follower."""
_SENT_BY: Final = "SELECT reply_to::text AS command_id FROM outbox WHERE key = %s AND type = %s"


def missing(model: WriteModel, author_id: str) -> list[str]:
    """Return which notifications of an author the write model lacks or has in excess."""
    kinds = ("kind", "author_id", "cheep_id")
    held = Counter(tuple(row[name] for name in kinds) for row in model.rows(_HELD, author_id))
    must = Counter(tuple(row[name] for name in kinds) for row in model.rows(_MUST_HOLD, author_id, author_id))
    follows = [(row["author_id"], row["at"]) for row in model.rows(_FOLLOWED, author_id, AuthorFollowed.TYPE)]
    must.update(("new_follower", follower, None) for follower in notified_of(follows))
    sentences = [f"{author_id} was never notified: {each}" for each in must - held]
    return sentences + [f"{author_id} was notified without reason: {each}" for each in held - must]


def notified_of(follows: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Yield the follower of each follow that notifies, once in 24 hours. `follows` are (follower, microseconds), in the
    order of their times.
    """
    last: dict[str, int] = {}
    for follower, at in follows:
        if follower not in last or at - last[follower] >= _QUIET:
            last[follower] = at
            yield follower


def commands_for(model: WriteModel, author_id: str) -> list[tuple[str, str]]:
    """The message ids of the commands that notified an author, each with its key."""
    return [(row["command_id"], author_id) for row in model.rows(_SENT_BY, author_id, AuthorNotified.TYPE)]


async def differences(client: Client, model: WriteModel, author_id: str) -> list[str]:
    """Return where the list of an author's notifications differs."""
    path = f"/author/{author_id}/notifications"
    if not model.rows("SELECT FROM authors WHERE author_id = %s", author_id):
        return mismatches.of_status(await client.query(path), 404, "author_not_found")
    hidden = {row["author_id"] for row in model.rows(_HIDDEN, author_id, author_id, author_id)}
    held = [given(row) for row in model.rows(_HELD, author_id)]
    shown = [row for row in held if row.get("author_id") not in hidden]
    unread = sum(not row["read"] and row.get("author_id") not in hidden for row in held[:_COUNTED])
    first = await client.notifications(author_id, size=1)
    counted = first.meta.get("unread")
    wrong = [] if counted == unread else [f"{first.curl} counts {counted} unread, not {unread}"]
    return wrong + await mismatches.of_list(client, path, shown)
