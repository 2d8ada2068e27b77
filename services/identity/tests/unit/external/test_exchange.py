import asyncio
import gzip

import httpx
import msgspec
import pytest

from identity.external import exchange
from identity.external.exchange import fetched, new_client, posted
from identity.external.sign_in import ProviderUnavailableError

URL = "https://id.example.org/document"


class Document(msgspec.Struct):
    """A document."""

    name: str


class Endless(httpx.AsyncByteStream):
    """A body that never ends; it counts what was read of it."""

    def __init__(self):
        self.sent = 0

    async def __aiter__(self):
        while True:
            self.sent += 1024
            yield b" " * 1024


class Silent(httpx.AsyncByteStream):
    """A body that never begins."""

    async def __aiter__(self):
        await asyncio.Event().wait()
        yield b""


def client(respond):
    return httpx.AsyncClient(transport=httpx.MockTransport(respond))


async def test_a_document_is_decoded():
    """A document is the struct of what it has."""
    with_more = client(lambda _: httpx.Response(200, stream=httpx.ByteStream(b'{"name": "x", "more": 1}')))
    assert await fetched(with_more, URL, Document) == Document("x")


async def test_an_endless_response_is_left():
    """No more of a response is read than 64 KiB and a chunk."""
    body = Endless()
    with pytest.raises(ProviderUnavailableError):
        await fetched(client(lambda _: httpx.Response(200, stream=body)), URL, Document)
    assert body.sent <= 65 * 1024


async def test_a_silent_provider_is_left(monkeypatch):
    """A response that does not arrive in time is none."""
    monkeypatch.setattr(exchange, "SECONDS", 0.01)
    with pytest.raises(ProviderUnavailableError, match=r"within 0\.01 s"):
        await posted(client(lambda _: httpx.Response(200, stream=Silent())), URL, {}, None)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(302, headers={"Location": "http://127.0.0.1/"}),
        httpx.Response(404),
        httpx.Response(200, stream=httpx.ByteStream(b"<html>")),
        httpx.Response(200, stream=httpx.ByteStream(b"")),
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(gzip.compress(b"{}"))),
    ],
)
async def test_a_response_that_is_no_document_is_of_no_use(response):
    """No redirect is followed, nothing is unpacked, and what is not JSON is no document."""
    with pytest.raises(ProviderUnavailableError):
        await fetched(client(lambda _: response), URL, Document)


async def test_a_provider_that_cannot_be_reached_is_unavailable():
    """A connection that fails is no defect."""

    def fail(request):
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(ProviderUnavailableError, match="ConnectError"):
        await fetched(client(fail), URL, Document)


async def test_the_client_follows_nothing_and_takes_no_proxy_of_the_environment():
    """Secrets go to the configured provider alone."""
    async with new_client() as made:
        assert (made.follow_redirects, made.trust_env) == (False, False)
