"""Alembic's hook: run migrations on the connection that `db.schema.migrate` hands over."""

from __future__ import annotations

from alembic import context

from write_api.db.schema.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
