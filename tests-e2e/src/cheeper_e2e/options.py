"""Values of the command lines here."""

from __future__ import annotations

import argparse


def positive(text: str) -> int:
    """A whole number from 1 on. Raises ArgumentTypeError, and ValueError where it is none."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 at least")
    return number
