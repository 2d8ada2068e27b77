"""The hot views in Redis: `reader` has the look-ups, `merging` reads a timeline below its floor, `scripts` has the Lua
that both run, and `connection` is the one connection to the server that all look-ups share.
"""
