"""Failovers of all four servers under a whole stack."""
