"""The relay's side of Postgres: its lock and cursor, the rows of the outbox, their partitions and their backlog."""
