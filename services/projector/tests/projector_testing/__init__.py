"""Fakes with real behaviour, for tests without servers."""
