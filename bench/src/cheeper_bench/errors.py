"""The errors of benchmarks that give no figure.

BenchError
├── NotDurableError     a property is switched off, so that nothing may be counted
└── UnavailableError    a side needs something that is not on this machine; its row shows that, and the rest goes on
"""

from __future__ import annotations


class BenchError(Exception):
    """A benchmark cannot be run. The text is one sentence."""


class NotDurableError(BenchError):
    """A server does not keep what it confirms."""


class UnavailableError(BenchError):
    """A program that one side needs is missing, or does not run here."""
