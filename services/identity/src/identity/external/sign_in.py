"""The use cases of a sign-in by an external provider: begin an attempt, and complete it with what came back.

An account is found by the provider's issuer and its subject, and by nothing else. It is never linked to an account of
an e-mail address, which a provider need not have verified, and which may belong to somebody else by now (ADR 60).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol
from uuid import uuid4

import msgspec

from identity.domain.credentials import Credentials
from identity.domain.errors import InvalidError, WrongCredentialsError
from identity.domain.limits import external_buckets
from identity.domain.sessions import Sessions, Tokens
from identity.domain.store import Store
from identity.external.attempts import ATTEMPT_SECONDS, Attempt, new_attempt

_WRONG: Final = "The sign-in was not completed, or took longer than 10 minutes; begin anew"


class ProviderUnavailableError(Exception):
    """A provider is unavailable, or its responses are of no use. The text has nothing that it or a client sent."""


class Provider(Protocol):
    """An OpenID provider. `name` is in requests, `title` is for people, `issuer` is its `iss`."""

    name: str
    title: str
    issuer: str

    async def authorization_url(self, attempt: Attempt) -> str:
        """Return where the browser signs in. Raise ProviderUnavailableError or OverloadedError."""

    async def subject(self, attempt: Attempt, code: str, issuer: str | None) -> str:
        """Return the subject who signed in. `issuer` is the `iss` that came with the code, if any.

        Raise WrongCredentialsError, ProviderUnavailableError or OverloadedError.
        """


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that has begun: the URL at which the browser signs in, and the values with which it is completed."""

    url: str
    secret: str
    state: str
    expires_in: int = ATTEMPT_SECONDS


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters with which the browser came back, and the secret of its attempt."""

    secret: str
    state: str
    code: str
    iss: str | None = None


class ExternalSignIn:
    """The sign-in by these providers."""

    def __init__(
        self,
        store: Store,
        credentials: Credentials,
        sessions: Sessions,
        providers: Sequence[Provider],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._credentials = credentials
        self._sessions = sessions
        self._clock = clock
        self.providers = {provider.name: provider for provider in providers}

    async def begin(self, name: str, client: str) -> Begun:
        """Begin an attempt. Raise InvalidError, TooManyAttemptsError, OverloadedError or ProviderUnavailableError."""
        provider = self.providers.get(name)
        if provider is None:
            raise InvalidError("provider", "is none of those by which this Cheeper signs in")
        attempt, now = new_attempt(), self._clock()
        async with self._store.begin() as transaction:
            await self._credentials.count(transaction, external_buckets(client), now)
        url = await provider.authorization_url(attempt)
        async with self._store.begin() as transaction:
            await transaction.add_attempt(attempt.digest, name, int(now) + ATTEMPT_SECONDS)
        return Begun(url=url, secret=attempt.secret, state=attempt.state)

    async def complete(self, returned: Returned) -> Tokens:
        """Begin a session of the account of who signed in, which the first sign-in makes.

        An attempt is used once, whatever comes of it. Raise WrongCredentialsError, OverloadedError or
        ProviderUnavailableError.
        """
        attempt, now = Attempt(returned.secret), int(self._clock())
        if not attempt.has_state(returned.state):
            raise WrongCredentialsError(_WRONG)
        async with self._store.begin() as transaction:
            name = await transaction.take_attempt(attempt.digest, now)
        provider = self.providers.get(name) if name is not None else None
        if provider is None:
            raise WrongCredentialsError(_WRONG)
        # No transaction is open while the provider is waited for.
        subject = await provider.subject(attempt, returned.code, returned.iss)
        async with self._store.begin() as transaction:
            account_id = await transaction.account_of_subject(provider.issuer, subject, str(uuid4()))
            return await self._sessions.begin(transaction, account_id)
