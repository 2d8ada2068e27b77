"""The fuzz of raw HTTP, briefly."""

import os

import pytest
from rich.console import Console

from cheeper_e2e.hostile.raw_http.__main__ import fuzz

# It runs alone on the stack, since what other tests send could fill the queues of a slow machine.
pytestmark = [pytest.mark.local, pytest.mark.disturbs, pytest.mark.proves(guarantee="callers")]

CASES = int(os.environ.get("CHEEPER_CASES", "320"))
SEED = int(os.environ.get("CHEEPER_SEED", "1"))


def test_no_bytes_harm_a_port(local_stack, capsys):
    """Each connection ends in well-formed responses or a close, none blames a service, and good requests work."""
    code = fuzz(local_stack, CASES, SEED, Console(soft_wrap=True))
    assert code == 0, capsys.readouterr().out
