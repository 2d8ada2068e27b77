"""The schema's history, for Alembic; `db.schema.migrate` runs it."""
