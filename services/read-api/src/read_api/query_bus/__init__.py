"""The query bus, paging, and waiting for a command (read your writes)."""
