"""Requests to one gateway and their replies, as any client of an HTTP API could make them.

A command carries an Idempotency-Key always, so that it may be repeated whenever its outcome is unknown: after a 503
(with the response's message id as the key) and after a connection that broke. Repeating is bounded by `patience`.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Final, Self

import httpx
import msgspec

from cheeper_e2e.http.callers import Callers

_RETRY_SECONDS: Final = 0.2
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_DECODER: Final = msgspec.json.Decoder()

Json = dict[str, Any]


class UnavailableError(Exception):
    """The system gave no response, or none but 503, while the client waited. The text is the request's curl line."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP response: status, `data` and `meta` of its body, its headers, and the request as a curl line.

    `data` and `meta` are empty where the body is (HEAD, OPTIONS); `raw` is the body as it came.
    """

    status: int
    headers: httpx.Headers
    raw: bytes
    curl: str
    data: Json
    meta: Json

    @property
    def message_id(self) -> str:
        """The id of the command or query, as the body says it."""
        return str(self.meta["message_id"])


class Requester:
    """Sends requests to one gateway.

    `patience` is how many seconds a command or query is repeated while the system is unavailable; 0 hands back the
    first response, whatever it is. `journal` holds the latest requests, each with its status, for failing tests.
    `callers` sign each request that has no token, for a gateway with AUTH=tokens.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: float = 0,
        connections: int = 100,
        timeout: float = 30,
        callers: Callers | None = None,
    ) -> None:
        # One client a connection: a client's pool looks through all its connections at every request, which in a
        # load costs more than the request itself. A gateway is reached directly, whatever proxy the environment names.
        verify = httpx.create_ssl_context(trust_env=False)
        self._all = [
            httpx.AsyncClient(base_url=url, timeout=timeout, trust_env=False, verify=verify) for _ in range(connections)
        ]
        self._idle: asyncio.LifoQueue[httpx.AsyncClient] = asyncio.LifoQueue()
        for http in reversed(self._all):
            self._idle.put_nowait(http)
        self._patience = patience
        self.url = url
        self.callers = callers
        self.journal: deque[str] = deque(maxlen=40)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for http in self._all:
            await http.aclose()

    # --- any request ---------------------------------------------------------------------------------------------

    async def request(  # noqa: PLR0913 - what a request is made of
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
        params: dict[str, Any] | None = None,
    ) -> Reply:
        """One request, as it is, and its response. `body` goes as JSON; `content` as it is, an iterator chunked."""
        headers = dict(headers or {})
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            headers.setdefault("Content-Type", "application/json")
        sender = None if self.callers is None else self.callers.sender_of(path, content, params)
        if self.callers is not None and sender is not None:
            headers = self.callers.authorization(sender) | headers
        http = await self._idle.get()
        try:
            request = http.build_request(method, path, content=content, headers=headers, params=params)
            curl = as_curl(method, str(request.url), headers, content)
            response = await http.send(request)
        except httpx.HTTPError as error:
            self.journal.append(f"{curl}  # {type(error).__name__}")
            raise
        finally:
            self._idle.put_nowait(http)
        self.journal.append(f"{curl}  # {response.status_code}")
        reply = _reply(response, curl)
        if method not in _SAFE and "message_id" in reply.meta and sender is not None:
            self.note_sender(reply.message_id, sender)
        return reply

    def note_sender(self, message_id: str, author_id: str) -> None:
        """Note whose command this was, who alone may read its status with AUTH=tokens."""
        if self.callers is not None:
            self.callers.note(message_id, author_id)

    async def command(
        self, method: str, path: str, body: Json | None = None, *, params: Json | None = None, key: str | None = None
    ) -> Reply:
        """A command with an Idempotency-Key (a new one where none is given), repeated while its outcome is unknown."""
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        return await self._patiently(method, path, body=body, params=params, headers=headers)

    async def query(self, path: str, **params: Any) -> Reply:
        """A query; parameters that are None are left out."""
        return await self._patiently("GET", path, params=given(params) or None)

    async def _patiently(self, method: str, path: str, *, headers: dict[str, str] | None = None, **rest: Any) -> Reply:
        deadline = time.monotonic() + self._patience
        while True:
            reply: Reply | None = None
            try:
                reply = await self.request(method, path, headers=headers, **rest)
            except httpx.TransportError:
                if time.monotonic() >= deadline:
                    raise UnavailableError(self.journal[-1]) from None
            if reply is not None and (reply.status != httpx.codes.SERVICE_UNAVAILABLE or self._patience == 0):
                return reply
            if time.monotonic() >= deadline:
                raise UnavailableError(self.journal[-1])
            if reply is not None and headers and "message_id" in reply.meta:
                headers = {**headers, "Idempotency-Key": reply.message_id}
            await asyncio.sleep(_RETRY_SECONDS)


def as_curl(method: str, url: str, headers: dict[str, str], content: bytes | AsyncIterator[bytes] | None) -> str:
    """A request as a line for a shell."""
    parts = ["curl", "-s"]
    if method != "GET":
        parts += ["-X", method]
    parts.append(url)
    for name, value in headers.items():
        parts += ["-H", f"{name}: {value}"]
    if isinstance(content, bytes):
        parts += ["-d", _shortened(content.decode("utf-8", "backslashreplace"))]
    elif content is not None:
        parts += ["-T", "-"]
    return shlex.join(parts)


def _shortened(text: str, at_most: int = 400) -> str:
    return text if len(text) <= at_most else f"{text[:at_most]}… ({len(text)} characters)"


def _reply(response: httpx.Response, curl: str) -> Reply:
    body: Any = {}
    if response.content and "json" in response.headers.get("content-type", ""):
        body = _DECODER.decode(response.content)
    body = body if isinstance(body, dict) else {}
    return Reply(
        status=response.status_code,
        headers=response.headers,
        raw=response.content,
        curl=curl,
        data=body.get("data") or {},
        meta=body.get("meta") or {},
    )


def given(values: dict[str, Any]) -> Json:
    """Return the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
