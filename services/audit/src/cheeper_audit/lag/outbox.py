"""The outbox in one snapshot of PostgreSQL: its backlog, the active relay, the transaction that blocks it, and the age
of what a store lacks.

All of it comes from tables, so that it is known while the relay or the projector is down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from cheeper_audit.stores.write_model import Place, WriteModel
from cheeper_contracts.http.responses import COMMAND_RECORD_SECONDS, OVERDUE_SECONDS
from cheeper_contracts.kafka.topics import partition_of
from cheeper_contracts.partitions import PARTITIONS

SHOWN: Final = 10_000
"""The most waiting rows that are counted."""

RELAY_LOCK: Final = 0x63686565_72656C79
"""The advisory lock of the one active relay, as write-api takes it: the end-to-end `test_status.py` sees that it is."""

_CHUNK: Final = 2_000
_CHUNKS: Final = 50  # 100,000 rows are looked back, at most
_RELAY_NAME: Final = "write-api-relay"

_CURSOR: Final = "SELECT epoch, xid::text, id, current_epoch FROM relay_cursor"
_SENT: Final = 'SELECT "partition", last_sequence FROM relay_partitions'
_WAITING: Final = """
    SELECT o.key, o."time", (o.epoch, o.xid) >= (%s, pg_snapshot_xmin(pg_current_snapshot()))
      FROM outbox AS o WHERE (o.epoch, o.xid, o.id) > (%s, %s::xid8, %s)
     ORDER BY o.epoch, o.xid, o.id LIMIT %s
"""
_BACK: Final = """
    SELECT o.key, o."time", o.epoch, o.xid::text, o.id
      FROM outbox AS o WHERE (o.epoch, o.xid, o.id) < (%s, %s::xid8, %s)
     ORDER BY o.epoch DESC, o.xid DESC, o.id DESC LIMIT %s
"""
_NOW: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"

# Any transaction with an xid holds the horizon, in every database. Its statement is not read: it may contain anybody's
# values. A role that may not see the activity of others gets neither state nor age.
_HORIZON: Final = """
    SELECT who, state, seconds
      FROM (SELECT age(backend_xid) AS age,
                   'pid ' || pid || ', ' || coalesce(nullif(application_name, ''), 'unnamed') AS who, state,
                   extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds
              FROM pg_stat_activity WHERE backend_xid IS NOT NULL
             UNION ALL
            SELECT age(transaction), 'prepared transaction ' || gid, 'prepared',
                   extract(epoch FROM clock_timestamp() - prepared)::float8
              FROM pg_prepared_xacts) AS holders
     ORDER BY age DESC LIMIT 1
"""
_ACTIVE: Final = """
    SELECT pid FROM pg_locks
     WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid::bigint = %s AND objid::bigint = %s
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_RELAYS: Final = """
    SELECT pid FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()
"""
_DEAD_LETTERS: Final = "SELECT source_topic, count(*) FROM dead_letters GROUP BY source_topic ORDER BY source_topic"

_OVERDUE: Final = """
    SELECT count(*) FROM handled_commands WHERE outcome IS NULL AND accepted AND at >= %s AND at < %s
"""
_REPLACED: Final = "SELECT max(replaced_at) FROM consumer_checkpoints"


class Holder(msgspec.Struct, frozen=True):
    """The oldest transaction with an id: no row that was written since it began can be sent before it ends.

    `state` and `seconds` are None if the role of DATABASE_URL may not see the activity of others.
    """

    who: str
    state: str | None
    seconds: float | None


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    """The state of the relays.

    `active` is the PostgreSQL pid of the active one's connection, or None; `standby` the number of the others;
    `waiting` the number of rows to send, at most `SHOWN`; `seconds` the age of the first of them; `held_back` the
    number of those that wait for the transaction that holds the horizon.
    """

    active: int | None
    standby: int
    waiting: int
    seconds: float
    held_back: int
    holder: Holder | None


class Accepted(msgspec.Struct, frozen=True):
    """The number of commands with an Idempotency-Key that were accepted and are overdue, and for how many seconds it
    has been known that the topic of commands was made again, or None.
    """

    overdue: int = 0
    replaced_seconds: float | None = None


class Missing(msgspec.Struct, frozen=True):
    """The messages that a store has not applied, and the age of the first one's commit in seconds.

    With `at_least` both may be more.
    """

    sequences: int = 0
    seconds: float = 0.0
    at_least: bool = False


class Outbox:
    """The outbox as the write model's current snapshot shows it. Raises StoreUnavailableError."""

    def __init__(self, write_model: WriteModel) -> None:
        self._write_model = write_model
        self._sent = dict.fromkeys(range(PARTITIONS), 0) | dict(write_model.rows(_SENT))
        epoch, xid, row_id, current = next(iter(write_model.rows(_CURSOR)), (0, "0", 0, 1))
        self._cursor = (epoch, xid, row_id)
        [(self._now,)] = write_model.rows(_NOW)
        self._waiting: list[tuple[str, int, bool]] = write_model.rows(_WAITING, current, *self._cursor, SHOWN)

    def relay(self) -> Relay:
        """Return the state of the relays."""
        active = [pid for (pid,) in self._write_model.rows(_ACTIVE, RELAY_LOCK >> 32, RELAY_LOCK & 0xFFFFFFFF)]
        relays = {pid for (pid,) in self._write_model.rows(_RELAYS, _RELAY_NAME)}
        held_back = sum(held for _, _, held in self._waiting)
        return Relay(
            active=active[0] if active else None,
            standby=len(relays - set(active)),
            waiting=len(self._waiting),
            seconds=self._age(min((time for _, time, _ in self._waiting), default=None)),
            held_back=held_back,
            holder=next((Holder(*row) for row in self._write_model.rows(_HORIZON)), None) if held_back else None,
        )

    def dead_letters(self) -> dict[str, int]:
        """Return the numbers of the write side's dead letters by topic."""
        return dict(self._write_model.rows(_DEAD_LETTERS))

    def accepted(self) -> Accepted:
        """Return what is known of accepted commands that may be lost."""
        since, before = ((float(self._now) - age) * 1_000_000 for age in (COMMAND_RECORD_SECONDS, OVERDUE_SECONDS))
        [(overdue,)] = self._write_model.rows(_OVERDUE, since, before)
        [(replaced,)] = self._write_model.rows(_REPLACED)
        return Accepted(overdue, None if replaced is None else self._age(replaced))

    def missing(self, applied: Mapping[int, int]) -> Missing:
        """Return what a store with these sequences lacks.

        A message's sequence is its place among the outbox's rows of its partition, so the first that is missing is
        found by counting back from the end.
        """
        waiting: dict[int, list[int]] = {partition: [] for partition in self._sent}
        for key, time, _ in self._waiting:
            waiting[partition_of(key)].append(time)
        lacks = {p: max(0, self._sent[p] + len(waiting[p]) - applied[p]) for p in self._sent}
        times = [waiting[p][max(0, len(waiting[p]) - lack)] for p, lack in lacks.items() if lack and waiting[p]]
        sent = {p: lack - len(waiting[p]) for p, lack in lacks.items() if lack > len(waiting[p])}
        sent_times, whole = self._back(sent)
        return Missing(
            sum(lacks.values()),
            self._age(min([*times, *sent_times], default=None)),
            at_least=not whole or len(self._waiting) >= SHOWN,
        )

    def _back(self, lacks: Mapping[int, int]) -> tuple[list[int], bool]:
        """Return the times of sent rows, `lacks` of each partition, counted back from the cursor.

        Return False as well if that took too many rows, or if retention has dropped them.
        """
        left, times = Counter(lacks), list[int]()
        epoch, xid, row_id = self._cursor
        before: Place = (epoch, xid, row_id + 1)
        for _ in range(_CHUNKS):
            if not left:
                break
            rows = self._write_model.rows(_BACK, *before, _CHUNK)
            for key, time, *place in rows:
                partition, before = partition_of(key), (place[0], place[1], place[2])
                if left[partition] > 0:
                    left[partition] -= 1
                    times.append(time)
            left = +left
            if len(rows) < _CHUNK:
                break
        return times, not left

    def _age(self, time: int | None) -> float:
        return 0.0 if time is None else max(0.0, float(self._now) - time / 1_000_000)
