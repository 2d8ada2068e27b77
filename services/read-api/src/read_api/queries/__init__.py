"""The queries, one file each: the question as a struct, the answer's shape, the store that it needs, the handler.

`asking` has what all share, `pages` what lists share, `search` what searches share, `follow_lists` what the two lists
of follows share, `shapes` how values look, `cursor` a place in a list as text. `bus` is the table from question to
handler, `waiting` the wait of `after`.
"""
