"""The relay's statements."""

from __future__ import annotations

from typing import Final

LOCK: Final = "SELECT pg_try_advisory_lock(%s)"

# The timeline comes from the WAL: the control file has the one of the last checkpoint, which is late after a restore.
IDENTITY: Final = """
SELECT system_identifier, ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
FROM pg_control_system()
"""

LOAD_CURSOR: Final = """
SELECT epoch, xid::text, id, first_epoch, first_xid::text, first_id, system_identifier, timeline_id, current_epoch
FROM relay_cursor
"""

LOAD_PARTITIONS: Final = 'SELECT "partition", topic_id, last_offset, last_sequence FROM relay_partitions'

# Order by o.xid, never by xid: that is the selected text, in which 9 comes after 10.
#
# One statement reads horizon and rows, so both are of one snapshot: a transaction below its xmin has ended, so no row
# can still appear there. The bound is a row comparison, so that the index ends the scan. The writers of an older epoch
# have all ended too, whatever their xids, since `raise-epoch` waited for them.
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

# The cursor and its partitions are written by one statement, and so in one round trip and one transaction. It returns a
# row, and writes the partitions, only if the cursor was written.
_WRITE: Final = """
WITH cursor AS (<cursor>), partitions AS (
    INSERT INTO relay_partitions ("partition", topic_id, last_offset, last_sequence)
    SELECT states.* FROM cursor, unnest(%(partitions)s::int[], %(topic_ids)s::text[], %(offsets)s::bigint[],
        %(sequences)s::bigint[]) AS states
    ON CONFLICT ("partition") DO UPDATE SET
        topic_id = excluded.topic_id, last_offset = excluded.last_offset, last_sequence = excluded.last_sequence
)
SELECT FROM cursor
"""

BEGIN: Final = _WRITE.replace(
    "<cursor>",
    """
    INSERT INTO relay_cursor (epoch, xid, id, system_identifier, timeline_id, current_epoch)
    VALUES (0, '0', 0, %(system_identifier)s, %(timeline_id)s, 1) RETURNING true
    """,
)

# The first row, or the fact that retention has dropped it, is written once and never changed.
REWIND: Final = _WRITE.replace(
    "<cursor>",
    """
    UPDATE relay_cursor SET epoch = %(new_epoch)s, xid = %(new_xid)s::xid8, id = %(new_id)s,
        first_epoch = coalesce(first_epoch, %(first_epoch)s), first_xid = coalesce(first_xid, %(first_xid)s::xid8),
        first_id = coalesce(first_id, %(first_id)s)
    WHERE (epoch, xid, id) = (%(old_epoch)s, %(old_xid)s::xid8, %(old_id)s)
    RETURNING true
    """,
)

# The commit does not wait for the disk. After a crash of the server the cursor may be some 0.6 s old, and the relay
# sends the messages since then again with the same sequences. Any later commit that waits makes this one durable too.
MOVE: Final = REWIND.replace("RETURNING true", "RETURNING set_config('synchronous_commit', 'off', true)")

RAISE_EPOCH: Final = "SELECT raise_outbox_epoch()"
ACCEPT_DATABASE: Final = "UPDATE relay_cursor SET system_identifier = %s, timeline_id = %s, current_epoch = %s"

BACKLOG: Final = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8,
    coalesce((SELECT o.id FROM outbox AS o ORDER BY o.epoch DESC, o.xid DESC, o.id DESC LIMIT 1), 0)
FROM (
    SELECT o.created_at FROM outbox AS o WHERE (o.epoch, o.xid, o.id) > (%s, %s::xid8, %s)
    ORDER BY o.epoch, o.xid, o.id LIMIT %s
) AS backlog
"""

# The age of the first message that is not sent, of a relay that may never have run.
OLDEST_UNSENT: Final = """
SELECT extract(epoch FROM clock_timestamp() - o.created_at)::float8 FROM outbox AS o
WHERE (o.epoch, o.xid, o.id) > (
    coalesce((SELECT c.epoch FROM relay_cursor AS c), 0),
    coalesce((SELECT c.xid FROM relay_cursor AS c), '0'::xid8),
    coalesce((SELECT c.id FROM relay_cursor AS c), 0)
)
ORDER BY o.epoch, o.xid, o.id LIMIT 1
"""

# The horizon, and the answer to whether it blocks a row.
BLOCKED: Final = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text, EXISTS (
    SELECT FROM outbox AS o WHERE (o.epoch, o.xid) >= (%s, pg_snapshot_xmin(pg_current_snapshot()))
)
"""

# Every transaction with an id holds a lock on it, and every role may see locks. A role without the privilege to see the
# activity of others gets only process, database and program. A prepared transaction has no process any more.
BLOCKING_TRANSACTION: Final = """
SELECT l.pid, coalesce(a.datname, p.database), coalesce(a.application_name, p.gid),
    CASE WHEN p.gid IS NULL THEN a.state ELSE 'prepared' END, a.query,
    extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, p.prepared))::float8
FROM pg_locks AS l
    LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
    LEFT JOIN pg_prepared_xacts AS p ON l.pid IS NULL AND p.transaction = l.transactionid
WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.transactionid = %s::xid
"""
