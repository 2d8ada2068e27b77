"""The HTTP edge: one file per command in `endpoints`, and one for each thing that all of them need."""
