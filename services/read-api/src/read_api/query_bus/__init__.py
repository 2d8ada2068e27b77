"""The query bus: from a query to its handler, with paging and with the wait of `after` (read your writes)."""
