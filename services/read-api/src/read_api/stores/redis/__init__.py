"""Reads of the hot views in Redis."""
