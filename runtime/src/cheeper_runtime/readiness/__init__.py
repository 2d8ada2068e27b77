"""Readiness: the needs of a process, the checks that find whether they are met, and their metric."""
