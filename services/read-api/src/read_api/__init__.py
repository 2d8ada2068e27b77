"""Cheeper's read side, which responds to every query from one look-up in Redis or MongoDB.

`queries` are the queries with their handlers, `query_bus` runs them, `stores` look the data up, `http` serves the
queries, and `bootstrap` puts these together.
"""
