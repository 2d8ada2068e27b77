"""Comparisons of the views with the write model: at rest, in service, and by samples."""
