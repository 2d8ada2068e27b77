"""The one place where adapters are built."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from cheeper_contracts.http.responses import CLIENT_ADDRESS_HEADER
from cheeper_runtime.concurrency.metrics import LimitsCollector
from cheeper_runtime.metrics.http import App, MeteredApp
from cheeper_runtime.metrics.page import new_registry
from cheeper_runtime.rate_limits.callers import Callers
from cheeper_runtime.readiness.checks import settle
from identity.db.schema.migrate import check_of_database
from identity.db.store import PostgresStore, create_engine
from identity.domain.accounts import Accounts
from identity.domain.credentials import Credentials
from identity.domain.keyring import Keyring
from identity.domain.passwords import Passwords
from identity.domain.sessions import Sessions
from identity.external.exchange import new_client
from identity.external.provider import OidcProvider
from identity.external.sign_in import ExternalSignIn
from identity.http.app import create_app
from identity.http.metrics import HTTP, LIMITS
from identity.mail import mailer_of
from identity.settings import Settings


class Parts(msgspec.Struct, frozen=True):
    """The use cases over a database."""

    engine: AsyncEngine
    passwords: Passwords
    keyring: Keyring
    sessions: Sessions
    accounts: Accounts


@asynccontextmanager
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """Build the use cases."""
    engine = create_engine(settings.database_url, application_name=f"identity-{settings.role}")
    store, passwords = PostgresStore(engine), Passwords(at_once=settings.password_hashes)
    keyring = Keyring(store)
    sessions = Sessions(store, keyring, settings.issuer_url)
    accounts = Accounts(
        store=store,
        passwords=passwords,
        credentials=Credentials(store, passwords),
        sessions=sessions,
        mailer=mailer_of(settings.mail_url or "file:///dev/null", settings.mail_from),
    )
    try:
        yield Parts(engine, passwords, keyring, sessions, accounts)
    finally:
        await settle()
        await engine.dispose()


@asynccontextmanager
async def http_app(settings: Settings) -> AsyncIterator[App]:
    """Build the HTTP role's application with all its parts."""
    async with parts(settings) as built, new_client() as client:
        health = create_engine(settings.database_url, application_name="identity-health", pool_size=1)

        redirect_uri = f"{settings.issuer_url.rstrip('/')}/"
        providers = [OidcProvider(each, redirect_uri, client) for each in settings.sign_in_providers]
        store = PostgresStore(built.engine)
        external = ExternalSignIn(store, Credentials(store, built.passwords), built.sessions, providers)

        async def keys() -> str | None:
            return None if built.keyring.has_keys else "no signing key is known yet"

        limits = [built.passwords.limit, *(provider.limit for provider in providers)]
        registry = new_registry(LimitsCollector(LIMITS, limits))
        try:
            app = create_app(
                accounts=built.accounts,
                sessions=built.sessions,
                external=external,
                keyring=built.keyring,
                issuer=settings.issuer_url,
                callers=Callers(settings.gateway_networks, CLIENT_ADDRESS_HEADER.lower().encode()),
                checks={"postgres": check_of_database(health), "keys": keys},
                registry=registry,
            )
            yield MeteredApp(app, HTTP, registry)
        finally:
            await health.dispose()
