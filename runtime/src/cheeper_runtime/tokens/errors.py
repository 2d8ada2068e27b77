"""The errors of a token.

InvalidTokenError        the token is of no use, whoever sends it again
KeysUnavailableError     the issuer's keys have never been fetched, so nobody can know whether it is valid
"""

from __future__ import annotations


class InvalidTokenError(Exception):
    """The token is refused. The text is one sentence for the client, and has nothing of the token in it."""


class KeysUnavailableError(Exception):
    """No key of the token's issuer is known yet."""
