"""The HTTP edge: one file per resource, and one for each thing that all of them need."""
