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

BEGIN: Final = """
INSERT INTO relay_cursor (epoch, xid, id, system_identifier, timeline_id, current_epoch)
VALUES (0, '0', 0, %s, %s, 1)
"""

MOVE: Final = """
UPDATE relay_cursor SET epoch = %(new_epoch)s, xid = %(new_xid)s::xid8, id = %(new_id)s,
    first_epoch = %(first_epoch)s, first_xid = %(first_xid)s::xid8, first_id = %(first_id)s
WHERE (epoch, xid, id) = (%(old_epoch)s, %(old_xid)s::xid8, %(old_id)s)
"""

PUT_PARTITIONS: Final = """
INSERT INTO relay_partitions ("partition", topic_id, last_offset, last_sequence)
SELECT * FROM unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[])
ON CONFLICT ("partition") DO UPDATE SET
    topic_id = excluded.topic_id, last_offset = excluded.last_offset, last_sequence = excluded.last_sequence
"""

ACCEPT: Final = "UPDATE relay_cursor SET system_identifier = %s, timeline_id = %s, current_epoch = %s"
