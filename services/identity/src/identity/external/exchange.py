"""Requests to a provider, each within a bound of time and of bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec

from identity.external.sign_in import ProviderUnavailableError

SECONDS: Final = 4.0
_LARGEST: Final = 64 * 1024
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}

_T = TypeVar("_T", bound=msgspec.Struct)


def new_client() -> httpx.AsyncClient:
    """Return a client that follows no redirect and takes nothing from the environment but the authorities to trust."""
    return httpx.AsyncClient(
        timeout=SECONDS, trust_env=False, follow_redirects=False, verify=ssl.create_default_context()
    )


async def fetched(client: httpx.AsyncClient, url: str, type_: type[_T]) -> _T:
    """Return the JSON document at a URL. Raise ProviderUnavailableError."""
    status, text = await _bounded(client, client.build_request("GET", url, headers=_HEADERS))
    if status != httpx.codes.OK:
        raise ProviderUnavailableError(f"a document was refused with status {status}")
    return decoded(text, type_)


async def posted(
    client: httpx.AsyncClient, url: str, form: Mapping[str, str], auth: tuple[str, str] | None
) -> tuple[int, bytes]:
    """Return the status and the body of the response to a form. Raise ProviderUnavailableError."""
    request = client.build_request("POST", url, data=form, headers=_HEADERS)
    return await _bounded(client, request, httpx.BasicAuth(*auth) if auth else None)


def decoded(text: bytes, type_: type[_T]) -> _T:
    """Return the body as a struct. Raise ProviderUnavailableError."""
    try:
        return msgspec.json.decode(text, type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProviderUnavailableError("a response is not in the form of OpenID Connect") from None


async def _bounded(
    client: httpx.AsyncClient, request: httpx.Request, auth: httpx.Auth | None = None
) -> tuple[int, bytes]:
    try:
        async with asyncio.timeout(SECONDS):
            response = await client.send(request, auth=auth, stream=True)
            try:
                return response.status_code, await _body(response)
            finally:
                await response.aclose()
    except TimeoutError:
        raise ProviderUnavailableError(f"no response within {SECONDS:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
        raise ProviderUnavailableError(f"no response: {type(error).__name__}") from None


async def _body(response: httpx.Response) -> bytes:
    if "Content-Encoding" in response.headers:  # a few bytes might become many
        raise ProviderUnavailableError("a response is compressed, which was not asked for")
    text = b""
    async for chunk in response.aiter_raw():
        text += chunk
        if len(text) > _LARGEST:
            raise ProviderUnavailableError(f"a response has more than {_LARGEST} bytes")
    return text
