"""The functions by which the relay creates and drops months of the outbox and raises its epoch, without owning it.

They run with the rights of their owner, for whoever may call them; `write_api.db.schema.roles` says who that is.

Revision ID: 0016
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

from write_api.outbox import partitions

revision = "0016"
down_revision = "0015"

_AS_OWNER: Final = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp"

_MAKE: Final = f"""
CREATE FUNCTION make_outbox_partition(month date) RETURNS void {_AS_OWNER} AS $$
DECLARE
    first timestamp := date_trunc('month', month::timestamp);
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF outbox FOR VALUES FROM (%L) TO (%L)',
        'outbox_' || to_char(first, 'YYYY_MM'),
        first AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC'
    );
END $$
"""

# DETACH CONCURRENTLY does not work beside a default partition. A drop locks the parent anyway, so that lock comes
# first, as with writers; a writer that was there before has ended by then, and its rows are visible.
#
# After a drop of rows no log can be filled from the start, which the cursor then says. The rows of one month need not
# be the first ones: one that began before midnight may have its id after one that began later. If the cursor is another
# one by now, so is the active relay, which will drop the month itself.
_DROP: Final = f"""
CREATE FUNCTION drop_outbox_partition(month text, sent_epoch integer, sent_xid xid8, sent_id bigint) RETURNS text
{_AS_OWNER} AS $$
DECLARE
    behind text := format('SELECT EXISTS (SELECT FROM %I AS o WHERE (o.epoch, o.xid, o.id) > ($1, $2, $3))', month);
    found boolean;
BEGIN
    IF month !~ '^outbox_[0-9]{{4}}_[0-9]{{2}}$'
        OR to_date(right(month, 7), 'YYYY_MM') + interval '1 month' > clock_timestamp() AT TIME ZONE 'UTC'
    THEN
        RAISE insufficient_privilege USING MESSAGE = 'only a month of the outbox that has ended may be dropped';
    END IF;
    EXECUTE behind INTO found USING sent_epoch, sent_xid, sent_id;  -- before the lock, which blocks writers
    IF found THEN
        RETURN 'unsent';
    END IF;
    LOCK TABLE ONLY outbox IN ACCESS EXCLUSIVE MODE;
    EXECUTE behind INTO found USING sent_epoch, sent_xid, sent_id;
    IF found THEN
        RETURN 'unsent';
    END IF;
    EXECUTE behind INTO found USING 0, '0'::xid8, 0::bigint;
    IF found THEN
        UPDATE relay_cursor SET first_epoch = 0, first_xid = '0', first_id = 0
        WHERE (epoch, xid, id) = (sent_epoch, sent_xid, sent_id);
        IF NOT FOUND THEN
            RETURN 'superseded';
        END IF;
    END IF;
    EXECUTE format('DROP TABLE %I', month);
    RETURN CASE WHEN found THEN 'dropped' ELSE 'empty' END;
END $$
"""  # noqa: S608 - our own constants

_RAISE: Final = f"""
CREATE FUNCTION raise_outbox_epoch() RETURNS integer {_AS_OWNER} AS $$
DECLARE
    following integer;
BEGIN
    SELECT current_epoch + 1 INTO STRICT following FROM relay_cursor;
    EXECUTE format('ALTER TABLE outbox ALTER COLUMN epoch SET DEFAULT %s', following);
    RETURN following;
END $$
"""  # noqa: S608 - our own constants


def upgrade() -> None:
    """Make the functions, which nobody but their owner may call yet, and the partitions of the next months."""
    for statement in (_MAKE, _DROP, _RAISE):
        op.execute(statement)
    for name in ("make_outbox_partition", "drop_outbox_partition", "raise_outbox_epoch"):
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
    for statement in partitions.statements(op.get_bind().execute(sa.text(partitions.NOW)).scalar_one()):
        op.execute(statement)
