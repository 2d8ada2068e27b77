"""What the replies of Redis and of the server-side functions mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projector.stores.base import Checkpoint, LeftOut, Refill, Slice, SliceOf


def checkpoint_of(fields: dict[bytes, bytes]) -> Checkpoint:
    """From the hash of a partition; the first one where there is none."""
    if not fields:
        return Checkpoint()
    return Checkpoint(
        sequence=int(fields[b"sequence"]),
        topic_id=fields[b"topic_id"].decode(),
        offset=int(fields[b"offset"]),
        poison=int(fields.get(b"poison", 0)),
    )


def served_of(reply: list[Any]) -> Slice | Refill | None:
    """From the reply of `slice.lua`; none where nothing waited."""
    match reply:
        case [b"slice", author_id, tasks, served, left_out, _]:
            return Slice(
                author_id=author_id.decode(),
                tasks=tuple(SliceOf(sequence=at, correlation_id=story.decode()) for at, story in tasks),
                served=served,
                left_out=left_out_of(left_out),
            )
        case [b"refill", reader_id, outcome, added, left_out, _]:
            return Refill(
                reader_id=reader_id.decode(),
                added=added,
                goes_on=outcome == b"goes on",
                left_out=left_out_of(left_out),
            )
    return None


def left_out_of(names: Sequence[bytes]) -> tuple[LeftOut, ...]:
    """Readers left out, from the flat list of a script: author (empty for none), reader, and so on."""
    pairs = zip(names[::2], names[1::2], strict=True)
    return tuple(LeftOut(reader_id=reader.decode(), author_id=author.decode() or None) for author, reader in pairs)
