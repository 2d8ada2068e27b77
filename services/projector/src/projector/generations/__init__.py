"""Generations of views: registry, rebuild, comparison and switch."""
