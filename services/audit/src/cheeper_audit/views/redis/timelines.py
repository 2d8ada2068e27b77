"""An author's timeline: complete above its floor, and nothing in it that does not belong there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from cheeper_audit.difference import Difference, Fault, RedisRepair
from cheeper_audit.stores.redis import RedisViews, Unreadable
from cheeper_audit.stores.write_model import Span, WriteModel
from cheeper_audit.views.redis import entries
from cheeper_audit.views.redis.base import pushed
from cheeper_audit.views.view import Stores
from cheeper_contracts import views

# For each reader and floor: the entries above it by those whom the reader follows and does not mute, one more than a
# list holds at most.
# The bound on cheep_date alone is what an index can end a scan by.
_ABOVE: Final = r"""
    SELECT r.reader::text, (
        SELECT coalesce(string_agg(e.entry, '\x'::bytea ORDER BY e.entry DESC), '\x'::bytea)
          FROM (SELECT int8send(c.cheep_date) || uuid_send(c.cheep_id) AS entry
                  FROM follows AS f JOIN cheeps AS c ON c.author_id = f.to_author_id
                 WHERE f.from_author_id = r.reader AND c.deleted_at IS NULL
                   AND NOT EXISTS (SELECT FROM mutes AS m WHERE m.author_id = r.reader AND m.muted_id = c.author_id)
                   AND c.cheep_date >= r.floor_date AND (c.cheep_date, c.cheep_id) > (r.floor_date, r.floor_id)
                 ORDER BY c.cheep_date DESC, c.cheep_id DESC LIMIT %s) AS e)
      FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS r (reader, floor_date, floor_id)
"""
_DELETED: Final = "SELECT cheep_id::text FROM cheeps WHERE cheep_id = ANY(%s::uuid[]) AND deleted_at IS NOT NULL"
_NO_FLOOR: Final = (-1, str(UUID(int=0)))


class Timeline(NamedTuple):
    """The values of the two keys: the list's entries, newest first, and the floor."""

    listed: list[bytes]
    floor: bytes | None


class Timelines:
    """The list and its floor. It may have entries of deleted cheeps, which readers skip."""

    store: Final = "redis"
    name: Final = views.TIMELINE.name
    lag_ms: Final = views.TIMELINE.lag_ms

    def differences(self, at: Stores, span: Span) -> list[Difference]:
        """Implement View."""
        found = _found(at.redis, span.ids)
        readable = {reader: each for reader, each in found.items() if isinstance(each, Timeline)}
        floors = {reader: each.floor for reader, each in readable.items()}
        above = above_floors(at.write_model, floors, views.TIMELINE_ENTRIES + 1)
        differing = {reader: each for reader, each in readable.items() if not entries.equal(each.listed, above[reader])}
        deleted = _deleted(at.write_model, differing.values())
        faults: dict[str, tuple[Fault, ...]] = {
            reader: (each,) for reader, each in found.items() if isinstance(each, Fault)
        }
        faults |= {reader: judge(each, entries.split(above[reader]), deleted) for reader, each in differing.items()}
        return [
            Difference(store=self.store, view=self.name, id=reader, faults=faults[reader])
            for reader in span.ids
            if faults.get(reader)
        ]

    def repairs(self, at: Stores, ids: Sequence[str]) -> list[RedisRepair]:
        """Implement View: write the newest entries, as many as a list holds, over a floor that is the next one."""
        newest = above_floors(at.write_model, dict.fromkeys(ids), views.TIMELINE_ENTRIES + 1)
        return [_repair(at.redis, reader, entries.split(newest[reader])) for reader in ids]


def judge(timeline: Timeline, above: list[bytes], deleted: Collection[str]) -> tuple[Fault, ...]:
    """Return the faults of a timeline. `above` is what the write model has above its floor."""
    lacking, surplus = set(above) - set(timeline.listed), set(timeline.listed) - set(above)
    faults = [Fault(f"without {entries.describe(entry)}", "with it") for entry in sorted(lacking, reverse=True)]
    faults += [
        Fault(f"with {entries.describe(entry)}", "without it")
        for entry in sorted(surplus, reverse=True)
        if not (_is_above(entry, timeline.floor) and views.unpack_entry(entry)[1] in deleted)
    ]
    if not faults and not entries.in_order(timeline.listed):
        faults.append(Fault("in another order", "in order, each entry once"))
    if len(timeline.listed) > views.TIMELINE_ENTRIES:
        faults.append(Fault(f"{len(timeline.listed):,} entries", f"{views.TIMELINE_ENTRIES:,} at most"))
    return tuple(faults)


def above_floors(write_model: WriteModel, floors: Mapping[str, bytes | None], at_most: int) -> dict[str, bytes]:
    """Return the entries that the write model has above each reader's floor, newest first, in one text."""
    places = [_NO_FLOOR if floor is None else views.unpack_entry(floor) for floor in floors.values()]
    dates, ids = [date for date, _ in places], [cheep_id for _, cheep_id in places]
    return dict(write_model.rows(_ABOVE, at_most, list(floors), dates, ids))


def _repair(redis: RedisViews, reader: str, newest: list[bytes]) -> RedisRepair:
    listed, beyond = newest[: views.TIMELINE_ENTRIES], newest[views.TIMELINE_ENTRIES :]
    # A refill has gathered its entries for the list and the floor before.
    keys = [redis.key(pattern, reader) for pattern in (views.TIMELINE, views.TIMELINE_FLOOR, views.REFILL)]
    floor = tuple(("SET", keys[1], entry) for entry in beyond)
    return RedisRepair(tuple(keys), (("UNLINK", *keys), *pushed(keys[0], listed), *floor))


def _found(redis: RedisViews, ids: tuple[str, ...]) -> dict[str, Timeline | Fault]:
    lists = redis.execute(("LRANGE", redis.key(views.TIMELINE, reader), 0, -1) for reader in ids)
    floors = redis.execute(("GET", redis.key(views.TIMELINE_FLOOR, reader)) for reader in ids)
    return {reader: _read(*replies) for reader, *replies in zip(ids, lists, floors, strict=True)}


def _read(listed: Any, floor: Any) -> Timeline | Fault:
    if isinstance(listed, Unreadable):
        return Fault(f"{listed.reason}", "a list")
    if isinstance(floor, Unreadable) or (floor is not None and len(floor) != views.ENTRY_BYTES):
        return Fault("over a floor that is no entry", "over an entry or no floor")
    return Timeline(listed, floor)


def _is_above(entry: bytes, floor: bytes | None) -> bool:
    return len(entry) == views.ENTRY_BYTES and (floor is None or entry > floor)


def _deleted(write_model: WriteModel, timelines: Collection[Timeline]) -> set[str]:
    """Return the deleted cheeps of these timelines."""
    listed = {entry for timeline in timelines for entry in timeline.listed if len(entry) == views.ENTRY_BYTES}
    ids = sorted({views.unpack_entry(entry)[1] for entry in listed})
    return {cheep_id for (cheep_id,) in write_model.rows(_DELETED, ids)} if ids else set()
