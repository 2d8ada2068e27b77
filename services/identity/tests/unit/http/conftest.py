"""Fixtures of the HTTP edge, over a store in memory."""

import httpx
import pytest

from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.rate_limits.callers import LOOPBACK, Callers
from identity.http.app import create_app


def _app(service):
    return create_app(
        accounts=service.accounts,
        sessions=service.sessions,
        external=service.external,
        keyring=service.keyring,
        issuer="https://cheeper.example.org",
        callers=Callers(LOOPBACK, CLIENT_ADDRESS_HEADER.lower().encode()),
        checks={},
        registry=new_registry(),
    )


@pytest.fixture
def new_app():
    """Builds the application over use cases."""
    return _app


@pytest.fixture
async def client(service):
    transport = httpx.ASGITransport(app=_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as made:
        yield made
