"""The use cases of sessions: begin, refresh and end them. Each begin and refresh signs an access token."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import msgspec
import structlog

from identity.domain import refresh
from identity.domain.errors import WrongCredentialsError
from identity.domain.keyring import Keyring
from identity.domain.signing_keys import TOKEN_SECONDS
from identity.domain.store import Account, Store, Transaction

AUDIENCE: Final = "cheeper"
_WRONG_TOKEN: Final = "The refresh token is not valid, or not any more; sign in"  # noqa: S105 - a sentence

log = structlog.get_logger()


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of a session, in the names of OAuth 2.0 (RFC 6749)."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"  # noqa: S105 - OAuth's name of the type
    expires_in: int = TOKEN_SECONDS


class Sessions:
    """The sessions of a store. `issuer` is the `iss` of the tokens."""

    def __init__(self, store: Store, keyring: Keyring, issuer: str, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock

    async def begin(self, transaction: Transaction, account_id: str) -> Tokens:
        """Begin a session of an account in a transaction."""
        account = await transaction.account_by_id(account_id)
        if account is None:
            raise WrongCredentialsError
        session, token = refresh.begin(account_id, int(self._clock()))
        await transaction.put_session(session)
        return self._tokens(account, token)

    async def refresh(self, token: str) -> Tokens:
        """Return the session's next tokens. Raise WrongCredentialsError.

        The use of an old token revokes the session, unless it is a repetition within `refresh.GRACE_SECONDS`.
        """
        session_id = refresh.session_id_of(token)
        if session_id is None:
            raise WrongCredentialsError(_WRONG_TOKEN)
        async with self._store.begin() as transaction:
            session = await transaction.session(session_id)
            rotation = refresh.rotate(session, token, int(self._clock()))
            if rotation.session is not None:
                account = await transaction.account_by_id(rotation.session.account_id)
                if account is not None:
                    await transaction.put_session(rotation.session)
                    return self._tokens(account, rotation.token)
            await transaction.revoke_session(session_id)
        if rotation.kind == "reused":
            log.warning("refresh token reused: session revoked")
        raise WrongCredentialsError(_WRONG_TOKEN)

    async def end(self, token: str) -> None:
        """End the session of a refresh token. One that is unknown has ended already."""
        session_id = refresh.session_id_of(token)
        if session_id is None:
            return
        async with self._store.begin() as transaction:
            session = await transaction.session(session_id)
            if refresh.rotate(session, token, int(self._clock())).kind != "refused":
                await transaction.revoke_session(session_id)

    def _tokens(self, account: Account, refresh_token: str) -> Tokens:
        now = int(self._clock())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": account.account_id,
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "jti": str(uuid4()),
            "roles": list(account.roles),
        }
        return Tokens(access_token=self._keyring.sign(claims), refresh_token=refresh_token)
