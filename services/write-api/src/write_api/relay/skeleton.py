"""What may be told of a statement that somebody else runs: its words, without a value that it holds."""

from __future__ import annotations

import re
from typing import Final

_LONGEST: Final = 200
_HIDDEN: Final = "…"

# In this order at each place of the text. What the server cut off, at 1,024 bytes, may end within any of them.
_TOKENS: Final = re.compile(
    r"""
      (?P<gone>   /\*.*?(?:\*/|\Z) | --[^\n]* | \s+ )                      # comments, and all space as one
    | (?P<value>  \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)                    # $$…$$
                | [eE]'(?:\\.|''|[^'\\])*(?:'|\Z) | (?:[bBnNxX]|[uU]&)?'(?:''|[^'])*(?:'|\Z)
                | "(?:""|[^"])*[^\w". ](?:""|[^"])*(?:"|\Z)                 # no usual name of a table
                | (?<![\w$])\.?\d[\w.]* )                                  # numbers, but not $1 nor t1
    | (?P<kept>   \$\d+ | [\w$]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ADDRESS: Final = re.compile(r"\S*@\S*")


def skeleton_of(query: str) -> str:
    """The statement's words in at most 200 characters: no literal, no number, no comment, no address."""
    parts = []
    for found in _TOKENS.finditer(query):
        if found["gone"] is not None:
            parts.append(" ")
        else:
            parts.append(_HIDDEN if found["value"] is not None else found[0])
    return without_addresses(" ".join("".join(parts).split()))[:_LONGEST]


def without_addresses(name: str) -> str:
    """A name that somebody chose for a program or a transaction, without what looks like an e-mail address or a URL's
    login.
    """
    return _ADDRESS.sub(_HIDDEN, name)
