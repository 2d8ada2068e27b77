"""Metrics: their page in Prometheus's text format, and what is cheap enough to observe on a hot path."""
