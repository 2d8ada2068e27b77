"""A cheep as a page of a timeline shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from cheeper_audit.difference import NOTHING, Fault, of_fields, short
from cheeper_audit.stores.redis import Command
from cheeper_audit.stores.write_model import WriteModel
from cheeper_audit.views.redis.base import Commands, RedisView
from cheeper_contracts import views

_LIVING: Final = """
    SELECT c.cheep_id::text, c.cheep_date, c.message, c.author_id::text, a.username, c.in_reply_to::text, c.edited_at
      FROM cheeps AS c JOIN authors AS a ON a.author_id = c.author_id
     WHERE c.cheep_id = ANY(%s::uuid[]) AND c.deleted_at IS NULL
"""


class CheepRecords(RedisView[bytes]):
    """The JSON that pages consist of, byte for byte; a deleted cheep has none."""

    pattern = views.CHEEP_RECORD

    def expected(self, write_model: WriteModel, ids: Sequence[str]) -> dict[str, bytes]:
        """Return the record of each living cheep."""
        return {row[0]: _record(*row) for row in write_model.rows(_LIVING, list(ids))}

    def read(self, key: str) -> Command:
        """Return the text."""
        return ("GET", key)

    def faults(self, found: bytes | None, expected: bytes | None) -> tuple[Fault, ...]:
        """Return the faults field by field if both are records."""
        if found == expected:
            return ()
        if found is None or expected is None:
            return (Fault(NOTHING if found is None else "a record", NOTHING if expected is None else "a record"),)
        try:
            fields = msgspec.json.decode(found, type=dict[str, msgspec.Raw])
        except msgspec.MsgspecError:
            return (Fault(short(found), "JSON"),)
        wanted = msgspec.json.decode(expected, type=dict[str, msgspec.Raw])
        return of_fields(_texts(fields), _texts(wanted)) or (Fault("in another order", "in order"),)

    def writing(self, key: str, expected: bytes) -> Commands:
        """Return the text."""
        return (("SET", key, expected),)


def _record(  # noqa: PLR0913, PLR0917 - a row's columns
    cheep_id: str,
    cheep_date: int,
    message: str,
    author_id: str,
    username: str,
    in_reply_to: str | None,
    edited_at: int | None,
) -> bytes:
    record = views.CheepRecord(
        cheep_id=cheep_id,
        cheep_date=views.whole_seconds(cheep_date),
        cheep_message=message,
        author_id=author_id,
        author_username=username,
        in_reply_to=in_reply_to,
        edited_at=None if edited_at is None else views.whole_seconds(edited_at),
    )
    return msgspec.json.encode(record)


def _texts(fields: dict[str, msgspec.Raw]) -> dict[str, str]:
    return {name: bytes(value).decode(errors="replace") for name, value in fields.items()}
