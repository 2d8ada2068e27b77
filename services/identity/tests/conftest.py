"""Fixtures that the tests of this package share."""

import time
from functools import partial

import httpx
import pytest
import structlog
from hypothesis import settings

from cheeper_runtime.tokens.key_set import KeySet
from cheeper_runtime.tokens.testing import MemoryProvider
from identity.domain.accounts import Accounts
from identity.domain.credentials import Credentials
from identity.domain.keyring import Keyring
from identity.domain.passwords import Passwords
from identity.domain.sessions import Sessions
from identity.external.configured import ConfiguredProvider
from identity.external.provider import OidcProvider
from identity.external.sign_in import ExternalSignIn
from identity.testing import MemoryMailer, MemoryStore

settings.register_profile("cheeper", derandomize=True, deadline=None)
settings.load_profile("cheeper")
structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])

ISSUER = "https://cheeper.example.org"


def client_of(provider):
    """A client of HTTP whose requests the provider in memory receives."""

    def respond(request):
        status, headers, body = provider.respond(
            request.method, str(request.url.raw_path, "ascii"), request.headers, request.content
        )
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    return httpx.AsyncClient(transport=httpx.MockTransport(respond))


def provider_of(provider, secret_file=None, clock=time.monotonic):
    """The provider in memory as identity has it."""
    configured = ConfiguredProvider(
        name="example",
        title="Example",
        issuer=provider.issuer.issuer,
        client_id=provider.client_id,
        client_secret_file=secret_file and str(secret_file),
    )
    keys = partial(KeySet, fetch_set=provider.fetch, clock=clock)
    return OidcProvider(configured, f"{ISSUER}/", client_of(provider), key_set=keys, clock=clock)


class Service:
    """The use cases over a store, with a clock that a test sets and sleeps that only move it. Its external provider is
    one in memory.
    """

    def __init__(self, store):
        self.now, self.slept = time.time(), []
        self.store, self.mailer = store, MemoryMailer()
        # Argon2 with the smallest parameters: a test's password needs no protection.
        self.passwords = Passwords(at_once=2, memory_kib=8, passes=1)
        self.keyring = Keyring(store, self.clock)
        self.sessions = Sessions(store, self.keyring, ISSUER, self.clock)
        self.credentials = Credentials(store, self.passwords, clock=self.clock, sleep=self.sleep)
        self.accounts = Accounts(
            store=store,
            passwords=self.passwords,
            credentials=self.credentials,
            sessions=self.sessions,
            mailer=self.mailer,
            clock=self.clock,
        )
        self.provider = MemoryProvider("https://id.example.org", redirect_uri=f"{ISSUER}/")
        self.external = ExternalSignIn(
            store, self.credentials, self.sessions, [provider_of(self.provider)], clock=self.clock
        )

    def clock(self):
        return self.now

    async def sleep(self, seconds):
        self.slept.append(seconds)

    async def account(self, email="ann@example.org", password="a long enough one"):  # noqa: S107 - of a test
        """A new account; its id and the tokens of its first session."""
        await self.accounts.send_code(email, "192.0.2.1")
        return await self.accounts.set_password(email, self.mailer.code(), password)


@pytest.fixture
def as_provider():
    """Returns a provider in memory as identity has it."""
    return provider_of


@pytest.fixture
def new_service():
    """Builds the use cases over a store."""
    return Service


@pytest.fixture
async def service():
    made = Service(MemoryStore())
    await made.keyring.update()
    return made
