"""The queries, one file each: the query, the shape of its data, the store protocol that it needs, and its handler.

A handler is a function that reads from the store and returns a Result. `follow_lists`, `search` and `shapes` hold what
several queries share.
"""
