"""The alerts of a running stack: Prometheus beside it, faults that fire them, and repairs that clear them."""
