"""Alembic's hook: run migrations on the connection that `db.schema.migrate` hands over."""

from __future__ import annotations

from alembic import context

from identity.db.schema.tables import SCHEMA, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table_schema=SCHEMA
)
with context.begin_transaction():
    context.run_migrations()
