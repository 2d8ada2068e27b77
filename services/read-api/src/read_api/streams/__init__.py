"""Streams of timelines: the changes of a timeline as events, for as long as a client keeps its request open."""
