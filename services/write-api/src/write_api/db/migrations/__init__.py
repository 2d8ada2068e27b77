"""The schema's history, for Alembic; `db.migrate` runs it."""
