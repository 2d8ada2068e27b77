"""Faults under a whole stack: random ones, failovers of the servers, and those that fire alerts."""
