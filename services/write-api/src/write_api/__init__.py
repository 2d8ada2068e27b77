"""Cheeper's write side: commands in, events out, one Postgres transaction between them."""
