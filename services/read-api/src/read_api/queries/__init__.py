"""The queries, one file each: the question as a struct, the answer's shape, the store that it needs, the handler.

`asking` has what they share, `bus` the table from question to handler, `waiting` the wait of `after`.
"""
