"""The making of rules: functions that make a value of a text that somebody sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Generic, ParamSpec, TypeVar

from cheeper_contracts.text import require_length

Options = ParamSpec("Options")
Value_co = TypeVar("Value_co", covariant=True)


@dataclass(frozen=True, eq=False)
class Rule(Generic[Options, Value_co]):
    """Makes a value of a text, or raises ValueError.

    A text that has more than `most` characters, however it is composed, does not reach `accept`, so no text is
    searched, compared or normalised before its length is known. A `trimmed` rule drops the white space around a text.
    """

    accept: Callable[Concatenate[str, Options], Value_co]
    most: int
    trimmed: bool = False

    def __call__(self, text: str, *args: Options.args, **kwargs: Options.kwargs) -> Value_co:
        """Return the value of the text."""
        text = text.strip() if self.trimmed else text
        require_length(text, self.most)
        return self.accept(text, *args, **kwargs)


def at_most(
    most: int, *, trimmed: bool = False
) -> Callable[[Callable[Concatenate[str, Options], Value_co]], Rule[Options, Value_co]]:
    """Make a rule of a function, for texts of at most so many characters in NFC."""
    return lambda accept: Rule(accept, most, trimmed)
