"""The attacks: one module per kind, all of them in `registry`."""
