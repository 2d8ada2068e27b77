"""Blocks: the commands that must follow from them.

The process manager sends its command when the event of a block has been relayed, so the write model itself is at rest
only when each such event has the outcome of that command. Then no author who blocks another one follows it.
"""

from __future__ import annotations

from typing import Final

from cheeper_contracts.commands.end_follow_of_blocked import EndFollowOfBlocked
from cheeper_contracts.events.author_blocked import AuthorBlocked
from cheeper_contracts.events.follow_of_blocked_ended import FollowOfBlockedEnded
from cheeper_e2e.oracle.write_model import Row, WriteModel

# A command that follows from an event has the correlation id of the event.
_OUTCOMES: Final = """
    SELECT block.payload ->> 'blocked_id' AS blocked_id, outcome.reply_to::text AS command_id
      FROM outbox block LEFT JOIN outbox outcome
        ON outcome.correlation_id = block.correlation_id AND outcome.key = block.payload ->> 'blocked_id'
       AND (outcome.type = %s OR outcome.payload ->> 'command_type' = %s)
     WHERE block.key = %s AND block.type = %s
"""
_FOLLOWS: Final = """
    SELECT f.to_author_id::text AS other FROM follows f JOIN blocks b
        ON (b.author_id, b.blocked_id) IN ((f.from_author_id, f.to_author_id), (f.to_author_id, f.from_author_id))
     WHERE f.from_author_id = %s
"""


def missing(model: WriteModel, author_id: str) -> list[str]:
    """Return which outcomes of an author's blocks the write model lacks, or which follows a block has left."""
    sentences = [
        f"the block of {row['blocked_id']} by {author_id} had no effect on its follow"
        for row in _outcomes(model, author_id)
        if row["command_id"] is None
    ]
    if sentences:
        return sentences
    return [f"{author_id} follows {row['other']} in spite of a block" for row in model.rows(_FOLLOWS, author_id)]


def commands_for(model: WriteModel, author_id: str) -> list[tuple[str, str]]:
    """Return the message ids of the commands that followed from the blocks of an author, each with its key."""
    return [(row["command_id"], row["blocked_id"]) for row in _outcomes(model, author_id)]


def _outcomes(model: WriteModel, author_id: str) -> list[Row]:
    return model.rows(_OUTCOMES, FollowOfBlockedEnded.TYPE, EndFollowOfBlocked.TYPE, author_id, AuthorBlocked.TYPE)
