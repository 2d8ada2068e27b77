"""The HTTP edge: `endpoint` turns the rows of `features` into routes, and the other modules serve them all."""
