"""The rules of accounts, sessions, keys and limits, and the use cases over a store."""
