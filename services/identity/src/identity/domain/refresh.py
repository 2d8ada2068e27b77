"""Refresh tokens: each is used once, and its use returns the next one of its session.

A token is `<session id>.<secret>`. The session keeps hashes of the current and the previous secret. The next secret is
an HMAC of the presented one under a salt that the session keeps, so a request that is repeated within GRACE_SECONDS
(two tabs of a browser, or a response that was lost) gets the same next token. A later use of an old token means that
two parties have the session, and revokes it. A thief who comes within the grace has the token that its owner has, and
is found out at the step after it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import Final, Literal
from uuid import UUID, uuid4

import msgspec

GRACE_SECONDS: Final = 10
IDLE_SECONDS: Final = 30 * 24 * 3600
"""A session that was not refreshed for so long has ended."""
LONGEST_SECONDS: Final = 90 * 24 * 3600
"""After so long the password is needed again."""
_LONGEST_TOKEN: Final = 200


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session (a family of refresh tokens). Times are in seconds since 1970."""

    session_id: str
    account_id: str
    began_at: int
    rotated_at: int
    current: bytes
    previous: bytes = b""
    salt: bytes = b""


class Rotation(msgspec.Struct, frozen=True):
    """The result of the use of a refresh token: the session as it is to be stored, and the token to respond with.

    `reused` means that the session must be revoked, `refused` that it has ended or that the token is of none.
    """

    kind: Literal["rotated", "repeated", "reused", "refused"]
    session: Session | None = None
    token: str = ""


def begin(account_id: str, now: int) -> tuple[Session, str]:
    """Return a new session and its first refresh token."""
    session_id, secret = str(uuid4()), secrets.token_urlsafe(32)
    session = Session(session_id=session_id, account_id=account_id, began_at=now, rotated_at=now, current=_hash(secret))
    return session, f"{session_id}.{secret}"


def session_id_of(token: str) -> str | None:
    """Return the id of the session that a token names, or None if it is no refresh token."""
    session_id, dot, secret = token.partition(".")
    if len(token) > _LONGEST_TOKEN or not dot or not secret:
        return None
    try:
        return session_id if str(UUID(session_id)) == session_id else None
    except ValueError:
        return None


def rotate(session: Session | None, token: str, now: int) -> Rotation:
    """Return what the use of a token of this session leads to. The session's row must be locked."""
    if session is None or has_ended(session, now):
        return Rotation("refused")
    secret = token.partition(".")[2]
    digest = _hash(secret)
    if hmac.compare_digest(digest, session.current):
        salt = secrets.token_bytes(32)
        successor = _next(salt, secret)
        rotated = msgspec.structs.replace(
            session, rotated_at=now, previous=session.current, current=_hash(successor), salt=salt
        )
        return Rotation("rotated", rotated, f"{session.session_id}.{successor}")
    if hmac.compare_digest(digest, session.previous) and now - session.rotated_at <= GRACE_SECONDS:
        return Rotation("repeated", session, f"{session.session_id}.{_next(session.salt, secret)}")
    return Rotation("reused")


def has_ended(session: Session, now: int) -> bool:
    """Return True if the session was idle for too long, or is too old."""
    return now - session.rotated_at > IDLE_SECONDS or now - session.began_at > LONGEST_SECONDS


def _next(salt: bytes, secret: str) -> str:
    return urlsafe_b64encode(hmac.digest(salt, secret.encode(), "sha256")).decode().rstrip("=")


def _hash(secret: str) -> bytes:
    # Secrets have 256 random bits, so a fast hash is as good as a slow one.
    return hashlib.sha256(secret.encode(errors="surrogatepass")).digest()
