"""An author's timeline, the author's own cheeps, and each of them with its answers, deleted ones too."""

from __future__ import annotations

from typing import Final

from cheeper_e2e.http.client import Client
from cheeper_e2e.oracle import mismatches
from cheeper_e2e.oracle.write_model import CHEEP, Row, WriteModel

ANSWERS_WITH_A_CHEEP: Final = 10

_TIMELINE: Final = f"""
    SELECT {CHEEP}
      FROM cheeps c JOIN follows f ON f.to_author_id = c.author_id JOIN authors w ON w.author_id = c.author_id
     WHERE f.from_author_id = %s AND c.deleted_at IS NULL
       AND NOT EXISTS (SELECT FROM mutes m WHERE m.author_id = f.from_author_id AND m.muted_id = c.author_id)
     ORDER BY c.cheep_date DESC, c.cheep_id DESC
"""
_CHEEPS: Final = f"""
    SELECT {CHEEP}, c.deleted_at IS NOT NULL AS deleted
      FROM cheeps c JOIN authors w ON w.author_id = c.author_id
     WHERE c.author_id = %s ORDER BY c.cheep_date DESC, c.cheep_id DESC
"""
_ANSWERS: Final = f"""
    SELECT {CHEEP}
      FROM cheeps c JOIN authors w ON w.author_id = c.author_id
     WHERE c.in_reply_to = %s AND c.deleted_at IS NULL ORDER BY c.cheep_date, c.cheep_id
"""
_SIGNED_UP: Final = "SELECT FROM authors WHERE author_id = %s"


async def differences(client: Client, model: WriteModel, author_id: str) -> list[str]:
    """Return where the views differ on an author's timeline and cheeps."""
    path, timeline = f"/author/{author_id}/timeline", model.rows(_TIMELINE, author_id)
    sentences = await mismatches.of_list(client, path, timeline)
    if not model.rows(_SIGNED_UP, author_id):
        return sentences + mismatches.of_status(await client.author_cheeps(author_id), 404, "author_not_found")
    living: list[Row] = []
    deleted: list[Row] = []
    for row in model.rows(_CHEEPS, author_id):
        (deleted if row.pop("deleted") else living).append(row)
    sentences += await mismatches.of_list(client, f"/author/{author_id}/cheeps", living)
    whole = sorted((*timeline, *living), key=lambda row: (row["posted_at"], row["cheep_id"]), reverse=True)
    sentences += await mismatches.of_list(client, path, whole, own="1")
    for row in living:
        answers = model.rows(_ANSWERS, row["cheep_id"])
        wanted = {**row, "answers": answers[:ANSWERS_WITH_A_CHEEP], "number_of_answers": len(answers)}
        sentences += mismatches.of_data(await client.cheep(row["cheep_id"]), wanted)
        sentences += await _answers(client, row, answers)
    for row in deleted:
        sentences += mismatches.of_status(await client.cheep(row["cheep_id"]), 404, "cheep_not_found")
        sentences += await _answers(client, row, model.rows(_ANSWERS, row["cheep_id"]))
    return sentences


async def unknown(client: Client, model: WriteModel, cheep_ids: list[str]) -> list[str]:
    """Return which of these cheeps the views show although the write model has none."""
    known = {row["cheep_id"] for row in model.rows("SELECT cheep_id::text FROM cheeps")}
    sentences = []
    for cheep_id in cheep_ids:
        if cheep_id not in known:
            for reply in (await client.cheep(cheep_id), await client.answers(cheep_id)):
                sentences += mismatches.of_status(reply, 404, "cheep_not_found")
    return sentences


async def _answers(client: Client, cheep: Row, wanted: list[Row]) -> list[str]:
    return await mismatches.of_list(client, f"/cheep/{cheep['cheep_id']}/answers", wanted)
