"""The audit trail in PostgreSQL: its schema, and what writes and reads it."""
