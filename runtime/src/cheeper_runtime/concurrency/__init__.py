"""Concurrent work: limits whose queue is bounded by time, their metrics, and work that runs beside a block."""
