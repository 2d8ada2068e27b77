"""Faults of servers for tests, each for as long as a block lasts: on real servers, by a proxy, by a small disk."""
