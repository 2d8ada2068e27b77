"""Reads, through read-api alone, and the web page."""
