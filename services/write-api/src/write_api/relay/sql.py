"""The relay's statements."""

from __future__ import annotations

from typing import Final

LOCK: Final = "SELECT pg_try_advisory_lock(%s)"

# The timeline as the WAL has it now: the control file's is that of the last checkpoint, and so late after a restore.
IDENTITY: Final = """
SELECT system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
FROM pg_control_system()
"""

LOAD_CURSOR: Final = """
SELECT epoch, xid::text, id, first_epoch, first_xid::text, first_id, system_identifier, timeline_id, current_epoch
FROM relay_cursor
"""

LOAD_PARTITIONS: Final = 'SELECT "partition", topic_id, last_offset, last_sequence FROM relay_partitions'

# Order by o.xid, never by xid: that would be the text that is selected, where 9 comes after 10.
#
# Horizon and rows in one statement, and so of one snapshot: a transaction below its xmin has ended, so no row can
# still appear there. The bound is a row comparison, so that the index ends the scan; rows of an older epoch
# have all ended too, whatever xids they bear, since `raise-epoch` waited for their writers.
READ: Final = """
SELECT epoch, xid::text, id, message_id::text, type, source, "time", key, correlation_id::text, reply_to::text,
    traceparent, payload::text
FROM outbox AS o
WHERE (o.epoch, o.xid, o.id) > (%s, %s::xid8, %s)
    AND (o.epoch, o.xid) < (%s, pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY o.epoch, o.xid, o.id
LIMIT %s
"""

FIRST: Final = "SELECT epoch, xid::text, id FROM outbox AS o ORDER BY o.epoch, o.xid, o.id LIMIT 1"

# The cursor with what its partitions were sent: one statement, and so one round trip and one transaction, which gives a
# row if, and puts anything only if, the cursor was written.
_NOTE: Final = """
WITH cursor AS (<cursor>), put AS (
    INSERT INTO relay_partitions ("partition", topic_id, last_offset, last_sequence)
    SELECT states.* FROM cursor, unnest(%(partitions)s::int[], %(topic_ids)s::text[], %(offsets)s::bigint[],
        %(sequences)s::bigint[]) AS states
    ON CONFLICT ("partition") DO UPDATE SET
        topic_id = excluded.topic_id, last_offset = excluded.last_offset, last_sequence = excluded.last_sequence
)
SELECT FROM cursor
"""

BEGIN: Final = _NOTE.replace(
    "<cursor>",
    """
    INSERT INTO relay_cursor (epoch, xid, id, system_identifier, timeline_id, current_epoch)
    VALUES (0, '0', 0, %(system_identifier)s, %(timeline_id)s, 1) RETURNING true
    """,
)

# What the first row was, or that a retention has dropped it, is said once and for all.
REWIND: Final = _NOTE.replace(
    "<cursor>",
    """
    UPDATE relay_cursor SET epoch = %(new_epoch)s, xid = %(new_xid)s::xid8, id = %(new_id)s,
        first_epoch = coalesce(first_epoch, %(first_epoch)s), first_xid = coalesce(first_xid, %(first_xid)s::xid8),
        first_id = coalesce(first_id, %(first_id)s)
    WHERE (epoch, xid, id) = (%(old_epoch)s, %(old_xid)s::xid8, %(old_id)s)
    RETURNING true
    """,
)

# Its commit does not wait for the disk. After a crash of the server the cursor may stand where it stood some 0.6 s
# before, and what was sent since is sent again with the same sequences; any later commit that waits keeps it as well.
MOVE: Final = REWIND.replace("RETURNING true", "RETURNING set_config('synchronous_commit', 'off', true)")

LOSE_FIRST: Final = """
UPDATE relay_cursor SET first_epoch = 0, first_xid = '0', first_id = 0 WHERE (epoch, xid, id) = (%s, %s::xid8, %s)
"""

ACCEPT: Final = "UPDATE relay_cursor SET system_identifier = %s, timeline_id = %s, current_epoch = %s"

WAITING: Final = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
    coalesce((SELECT o.id FROM outbox AS o ORDER BY o.epoch DESC, o.xid DESC, o.id DESC LIMIT 1), 0)
FROM (
    SELECT o.created_at FROM outbox AS o WHERE (o.epoch, o.xid, o.id) > (%s, %s::xid8, %s)
    ORDER BY o.epoch, o.xid, o.id LIMIT %s
) AS waiting
"""

# The horizon, and whether a row stands at or beyond it.
HELD: Final = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, EXISTS (
    SELECT FROM outbox AS o WHERE (o.epoch, o.xid) >= (%s, pg_snapshot_xmin(pg_current_snapshot()))
)
"""

# Whoever has an id holds the lock of it, and anyone may see locks; of the activity of others a role that may not see it
# is told the process, the database and the program alone. A prepared transaction has no process any more.
HOLDER: Final = """
SELECT l.pid, coalesce(a.datname, p.database), coalesce(a.application_name, p.gid),
    CASE WHEN p.gid IS NULL THEN a.state ELSE 'prepared' END, a.query,
    extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8
FROM pg_locks AS l
    LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
    LEFT JOIN pg_prepared_xacts AS p ON l.pid IS NULL AND p.transaction = l.transactionid
WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.transactionid = %s::xid
"""
