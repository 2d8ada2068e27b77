"""An OpenID provider: its metadata, the authorization request, the exchange of a code, and the check of an ID token."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus

import httpx
import msgspec
import structlog

from cheeper_runtime.concurrency.limit import ConcurrencyLimit
from cheeper_runtime.servers.files import password_of
from cheeper_runtime.tokens.errors import InvalidTokenError, KeysUnavailableError
from cheeper_runtime.tokens.issuers import Issuer
from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.signed import header_of, verified
from identity.domain.errors import WrongCredentialsError
from identity.external.attempts import Attempt
from identity.external.configured import ConfiguredProvider
from identity.external.exchange import decoded, posted
from identity.external.metadata import Discovery, Metadata
from identity.external.sign_in import ProviderUnavailableError

_AT_ONCE: Final = 20
_QUEUE_SECONDS: Final = 1.0
_TYPES: Final = frozenset({"jwt"})
_SUBJECT: Final = re.compile(r"[\x20-\x7e]{1,255}")
_SERVER_ERRORS: Final = 500
_REFUSED: Final = "The provider's sign-in is not valid, or not any more; begin anew"

log = structlog.get_logger()


class _TokenResponse(msgspec.Struct):
    id_token: str


class OidcProvider:
    """A provider, which sends browsers back to `redirect_uri`. At most 20 requests are on their way to it at once."""

    def __init__(
        self,
        configured: ConfiguredProvider,
        redirect_uri: str,
        client: httpx.AsyncClient,
        *,
        key_set: Callable[[Issuer], KeySet] = KeySet,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self.title, self.issuer = configured.name, configured.title, configured.issuer
        self._client_id = configured.client_id
        self._secret = password_of(configured.secret_file) if configured.secret_file else None
        self._redirect_uri = redirect_uri
        self._client = client
        self._key_set = key_set
        self._discovery = Discovery(self.issuer, client, clock)
        self._keys: tuple[Issuer, KeySet] | None = None
        self.limit = ConcurrencyLimit(f"provider {self.name}", at_once=_AT_ONCE, queue_seconds=_QUEUE_SECONDS)

    async def authorization_url(self, attempt: Attempt) -> str:
        """Return where the browser signs in. Raise ProviderUnavailableError or OverloadedError."""
        metadata = await self.limit.run(self._metadata)
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._redirect_uri,
            "scope": "openid",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(metadata.authorization_endpoint).copy_merge_params(parameters))

    async def subject(self, attempt: Attempt, code: str, issuer: str | None) -> str:
        """Return the subject who signed in.

        Raise WrongCredentialsError, ProviderUnavailableError or OverloadedError.
        """
        return await self.limit.run(self._subject, attempt, code, issuer)

    async def _subject(self, attempt: Attempt, code: str, issuer: str | None) -> str:
        metadata = await self._metadata()
        if issuer != self.issuer and (issuer is not None or metadata.names_itself):
            raise self._refused("the response came from another issuer")
        try:
            claims = await self._claims(await self._id_token(metadata, attempt, code), metadata)
        except InvalidTokenError as error:
            raise self._refused(str(error)) from None
        except KeysUnavailableError:
            raise self._unavailable("its keys are not known") from None
        return self._subject_of(claims, attempt)

    async def _metadata(self) -> Metadata:
        try:
            return await self._discovery.metadata()
        except ProviderUnavailableError as error:
            raise self._unavailable(str(error)) from None

    async def _id_token(self, metadata: Metadata, attempt: Attempt, code: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": attempt.verifier,
        }
        auth = None
        if self._secret is None:
            form["client_id"] = self._client_id
        elif metadata.takes_basic:
            auth = (quote_plus(self._client_id), quote_plus(self._secret))  # RFC 6749, 2.3.1
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        try:
            status, text = await posted(self._client, metadata.token_endpoint, form, auth)
            response = decoded(text, _TokenResponse) if status == httpx.codes.OK else None
        except ProviderUnavailableError as error:
            raise self._unavailable(str(error)) from None
        if response is not None:
            return response.id_token
        if status >= _SERVER_ERRORS or status == httpx.codes.TOO_MANY_REQUESTS:
            raise self._unavailable(f"a code was refused with status {status}")
        raise self._refused(f"the code was refused with status {status}")

    async def _claims(self, token: str, metadata: Metadata) -> dict[str, Any]:
        issuer = Issuer(issuer=self.issuer, audience=self._client_id, jwks=metadata.jwks_uri)
        if self._keys is None or self._keys[0] != issuer:
            self._keys = (issuer, self._key_set(issuer))
        header = header_of(token, _TYPES, "an ID token")
        _, claims = await verified(token, header, issuer, self._keys[1], ["iat", "sub"])
        return claims

    def _subject_of(self, claims: dict[str, Any], attempt: Attempt) -> str:
        nonce, subject, party = claims.get("nonce"), claims["sub"], claims.get("azp")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
            raise self._refused("the ID token is of another attempt")
        is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if party != self._client_id and (party is not None or is_shared):
            raise self._refused("the ID token is for another client")
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise self._refused("the subject is not one of OpenID Connect")
        return subject

    def _refused(self, reason: str) -> WrongCredentialsError:
        log.warning("sign-in by a provider refused", provider=self.name, reason=reason)
        return WrongCredentialsError(_REFUSED)

    def _unavailable(self, reason: str) -> ProviderUnavailableError:
        log.warning("provider unavailable", provider=self.name, reason=reason)
        return ProviderUnavailableError(reason)
