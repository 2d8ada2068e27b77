"""Postgres: the write model's tables, the repositories over them, and the transaction that holds it all."""
