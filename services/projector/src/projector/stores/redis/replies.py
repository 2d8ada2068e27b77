"""Replies of Redis and of the server-side functions, decoded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projector.stores.base import Checkpoint
from projector.stores.task_store import LeftOut, Refill, Slice, SliceOf


def checkpoint_of(fields: dict[bytes, bytes]) -> Checkpoint:
    """Return the checkpoint in a partition's hash, the first one if the hash is empty."""
    if not fields:
        return Checkpoint()
    return Checkpoint(
        sequence=int(fields[b"sequence"]),
        topic_id=fields[b"topic_id"].decode(),
        offset=int(fields[b"offset"]),
        poison=int(fields.get(b"poison", 0)),
    )


def served_of(reply: list[Any]) -> Slice | Refill | None:
    """Return what `slice.lua` served, or None if nothing waited."""
    match reply:
        case [b"slice", author_id, tasks, served, left_out, waiting]:
            return Slice(
                author_id=author_id.decode(),
                tasks=tuple(_slice_of(*task) for task in tasks),
                served=served,
                left_out=left_out_of(left_out),
                waiting=waiting,
            )
        case [b"refill", reader_id, outcome, added, left_out, waiting]:
            return Refill(
                reader_id=reader_id.decode(),
                added=added,
                goes_on=outcome == b"goes on",
                left_out=left_out_of(left_out),
                waiting=waiting,
            )
    return None


def _slice_of(sequence: int, correlation_id: bytes, traceparent: bytes | None = None) -> SliceOf:
    cause = None if traceparent is None else traceparent.decode()
    return SliceOf(sequence=sequence, correlation_id=correlation_id.decode(), traceparent=cause)


def left_out_of(names: Sequence[bytes]) -> tuple[LeftOut, ...]:
    """Return the readers left out, from a script's flat list of author (empty for none), reader, and so on."""
    pairs = zip(names[::2], names[1::2], strict=True)
    return tuple(LeftOut(reader_id=reader.decode(), author_id=author.decode() or None) for author, reader in pairs)
