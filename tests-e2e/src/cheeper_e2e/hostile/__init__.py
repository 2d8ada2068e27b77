"""Hostile callers: those that spend as much as they can, those that send no HTTP, and a poison message."""
