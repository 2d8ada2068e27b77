"""Redaction of what other programs put into their SQL statements and names, before it is logged."""

from __future__ import annotations

import re
from typing import Final

_MAX_LENGTH: Final = 200
_HIDDEN: Final = "…"

# The alternatives are tried in this order at each position. The server cuts a statement off at 1,024 bytes, which may
# be within any of them.
_TOKENS: Final = re.compile(
    r"""
      (?P<gone>   /\*.*?(?:\*/|\Z) | --[^\n]* | \s+ )                      # comments, and white space
    | (?P<value>  \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)                    # $$…$$
                | [eE]'(?:\\.|''|[^'\\])*(?:'|\Z) | (?:[bBnNxX]|[uU]&)?'(?:''|[^'])*(?:'|\Z)
                | "(?:""|[^"])*[^\w". ](?:""|[^"])*(?:"|\Z)                 # not the usual name of a table
                | (?<![\w$])\.?\d[\w.]* )                                  # numbers, but not $1 nor t1
    | (?P<kept>   \$\d+ | [\w$]+ | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_ADDRESS: Final = re.compile(r"\S*@\S*")


def redacted_statement(query: str) -> str:
    """Return at most 200 characters of the statement without literals, numbers, comments and addresses."""
    parts = []
    for match in _TOKENS.finditer(query):
        if match["gone"] is not None:
            parts.append(" ")
        else:
            parts.append(_HIDDEN if match["value"] is not None else match[0])
    return redacted_name(" ".join("".join(parts).split()))[:_MAX_LENGTH]


def redacted_name(name: str) -> str:
    """Return the name of a program or a transaction without anything that looks like an e-mail address or a login."""
    return _ADDRESS.sub(_HIDDEN, name)
