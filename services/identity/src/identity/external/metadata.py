"""A provider's metadata (OpenID Connect Discovery): fetched when it is first needed, and kept while it is of use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httpx
import msgspec

from identity.external.configured import is_protected
from identity.external.exchange import fetched
from identity.external.sign_in import ProviderUnavailableError

FRESH_SECONDS: Final = 3600.0
"""The time after which metadata is fetched anew."""
RETRY_SECONDS: Final = 10.0
"""The least time between two fetches, so that a provider that is unavailable is not waited for by each request."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """The members of a provider's metadata that are used here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def names_itself(self) -> bool:
        """True if each of its responses to a browser has its issuer (RFC 9207)."""
        return self.authorization_response_iss_parameter_supported

    @property
    def takes_basic(self) -> bool:
        """True if a client's secret goes into the header of a request, and not into its form."""
        return "client_secret_basic" in self.token_endpoint_auth_methods_supported


class Discovery:
    """The metadata of one issuer. `clock` is monotonic, in seconds."""

    def __init__(self, issuer: str, client: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._known: Metadata | None = None
        self._reason = ""
        self._until = float("-inf")
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """Return the metadata, that of before if a fetch fails. Raise ProviderUnavailableError if none is known."""
        if self._clock() >= self._until:
            async with self._lock:  # those who waited here find it done
                if self._clock() >= self._until:
                    await self._fetch()
        if self._known is None:
            raise ProviderUnavailableError(self._reason)
        return self._known

    async def _fetch(self) -> None:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = await fetched(self._client, url, Metadata)
            self._check(found)
        except ProviderUnavailableError as error:
            self._reason, self._until = str(error), self._clock() + RETRY_SECONDS
        else:
            self._known, self._until = found, self._clock() + FRESH_SECONDS

    def _check(self, found: Metadata) -> None:
        if found.issuer != self._issuer:
            raise ProviderUnavailableError("its metadata names another issuer")
        urls = (found.authorization_endpoint, found.token_endpoint, found.jwks_uri)
        if not all(is_protected(url, like=self._issuer) for url in urls):
            raise ProviderUnavailableError("its metadata names a URL without TLS")
