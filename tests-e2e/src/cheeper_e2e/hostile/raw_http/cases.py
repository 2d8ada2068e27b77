"""Strategies for what is sent on one connection: requests, altered bytes, the pieces, and how the sender ends."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from cheeper_e2e.hostile.raw_http.requests import request

_MOST_NOISE: Final = 200
_MOST_PIPELINED: Final = 4
_ONE_STAYS_OF: Final = 1000


class Ending(StrEnum):
    """The sender's behaviour after its last byte."""

    FINISH = "finish"
    """Wait for responses while they come, then end its half of the connection."""
    HALF = "half"
    """End its half at once."""
    ABORT = "abort"
    """Close at once, without reading."""
    STAY = "stay"
    """Do nothing: the other side's time-outs end the connection, unless every request has its response."""


class Case(msgspec.Struct, frozen=True):
    """The bytes for a connection, in the pieces in which they are sent."""

    pieces: tuple[bytes, ...]
    ending: Ending

    @property
    def sent(self) -> bytes:
        """All bytes."""
        return b"".join(self.pieces)

    @property
    def has_head(self) -> bool:
        """True if a request may be HEAD, whose response has no body."""
        return b"HEAD" in self.sent


@st.composite
def case(draw: DrawFn) -> Case:
    """Draw a case."""
    kind = draw(st.integers(0, 15))
    if kind == 0:
        sent = draw(st.binary(max_size=_MOST_NOISE))
    elif kind <= 3:  # noqa: PLR2004 - a share of all
        sent = b"".join(draw(st.lists(request(), min_size=2, max_size=_MOST_PIPELINED)))
    else:
        sent = draw(request())
    if draw(st.integers(0, 4)) == 0:
        sent = draw(altered(sent))
    cuts = draw(st.lists(st.integers(0, len(sent)), max_size=2).map(sorted))
    pieces = tuple(sent[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True))
    return Case(pieces=tuple(piece for piece in pieces if piece), ending=draw(_ending()))


@st.composite
def altered(draw: DrawFn, sent: bytes) -> bytes:
    """Draw the same bytes with a part cut off, left out, repeated, or replaced by noise."""
    begin = draw(st.integers(0, len(sent)))
    end = min(len(sent), begin + draw(st.integers(0, 40)))
    how = draw(st.integers(0, 3))
    if how == 0:
        return sent[:begin]
    if how == 1:
        return sent[:begin] + sent[end:]
    if how == 2:  # noqa: PLR2004 - one of the four
        return sent[:end] + sent[begin:]
    return sent[:begin] + draw(st.binary(max_size=8)) + sent[end:]


@st.composite
def _ending(draw: DrawFn) -> Ending:
    if draw(st.integers(0, _ONE_STAYS_OF - 1)) == _ONE_STAYS_OF // 3:
        return Ending.STAY  # rarely: the others' time-outs take seconds
    ending: Ending = draw(st.sampled_from((Ending.FINISH,) * 6 + (Ending.HALF, Ending.ABORT)))
    return ending
