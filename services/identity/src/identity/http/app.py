"""The application: accounts, sessions, keys, health and metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from litestar import Litestar, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from prometheus_client import CollectorRegistry

from cheeper_contracts.http.responses import RETRY_AFTER_SECONDS
from cheeper_contracts.http.routes import HEALTH_LIVE, HEALTH_READY, METRICS
from cheeper_runtime.concurrency.background import in_background
from cheeper_runtime.metrics.event_loop_delay import EventLoopDelay
from cheeper_runtime.metrics.page import CONTENT_TYPE
from cheeper_runtime.metrics.page import page as metrics_page
from cheeper_runtime.rate_limits.callers import Callers
from cheeper_runtime.readiness.checks import Check, watch
from cheeper_runtime.readiness.metrics import ReadinessCollector
from cheeper_runtime.readiness.needs import Readiness, is_ready
from identity.domain.accounts import Accounts
from identity.domain.errors import InvalidError
from identity.domain.keyring import Keyring
from identity.domain.sessions import Sessions, Tokens
from identity.external.sign_in import ExternalSignIn
from identity.http.external import external_handlers
from identity.http.forms import MAX_BODY_BYTES, Email, NewPassword, SignIn, SignOut, form
from identity.http.metrics import LOOP_DELAY, READY
from identity.http.openapi import AccountOpened, Nothing, page, with_body
from identity.http.problems import EXCEPTION_HANDLERS, AnyRequest, respond

ClientOf = Callable[[AnyRequest], str]
"""The client of a request, as the limits of attempts count clients."""
_KEYS_SECONDS = 60
_BY_PASSWORD = ("wrong_credentials", "too_many_attempts", "overloaded")


def create_app(  # noqa: PLR0913 - bootstrap passes each of them
    *,
    accounts: Accounts,
    sessions: Sessions,
    external: ExternalSignIn,
    keyring: Keyring,
    issuer: str,
    callers: Callers,
    checks: Mapping[str, Check],
    registry: CollectorRegistry,
) -> Litestar:
    """Return the application. It keeps the keyring up to date as long as it lives."""

    def client_of(request: AnyRequest) -> str:
        return callers.client(request.client.host if request.client else None, request.scope["headers"])

    readiness, delay = Readiness(*checks), EventLoopDelay(LOOP_DELAY)
    registry.register(ReadinessCollector(READY, readiness.met))
    registry.register(delay)
    handlers = [
        *_api_handlers(accounts, sessions, external, keyring, issuer, client_of),
        *_process_handlers(readiness, registry),
    ]

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        async with (
            in_background(keyring.keep_updated()),
            in_background(watch(readiness, checks)),
            in_background(delay.watch()),
        ):
            yield

    return Litestar(
        handlers,
        lifespan=[lifespan],
        exception_handlers={**EXCEPTION_HANDLERS},
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )


def api_document() -> dict[str, Any]:
    """Return the OpenAPI document of what the gateway passes on."""
    nobody: Any = None
    handlers = _api_handlers(nobody, nobody, nobody, nobody, "", nobody)
    config = OpenAPIConfig(title="Cheeper: accounts", version="1")
    return Litestar(handlers, openapi_config=config).openapi_schema.to_schema()


def _api_handlers(  # noqa: PLR0913, PLR0917 - as create_app
    accounts: Accounts,
    sessions: Sessions,
    external: ExternalSignIn,
    keyring: Keyring,
    issuer: str,
    client_of: ClientOf,
) -> list[HTTPRouteHandler]:
    return [
        *_account_handlers(accounts, client_of),
        *_session_handlers(accounts, sessions, client_of),
        *external_handlers(external, client_of),
        *_key_handlers(keyring, external, issuer),
    ]


def _account_handlers(accounts: Accounts, client_of: ClientOf) -> list[HTTPRouteHandler]:
    @post(
        "/account",
        status_code=202,
        **with_body("SendCode", "Mail a code to an address.", Email, Nothing, 202, ["too_many_attempts"]),
    )
    async def send_code(request: AnyRequest) -> Response[Any]:
        body = await form(request, Email)
        await accounts.send_code(body.email, client_of(request))
        return respond(request, {}, 202)

    @put(
        "/account/password",
        **with_body(
            "SetPassword",
            "Set a password by a code or by the old one, and begin a session.",
            NewPassword,
            AccountOpened,
            200,
            _BY_PASSWORD,
        ),
    )
    async def set_password(request: AnyRequest) -> Response[Any]:
        body = await form(request, NewPassword)
        if (body.code is None) == (body.password is None):
            raise InvalidError("code", "must be given, or else the password")
        if body.code is not None:
            account_id, tokens = await accounts.set_password(body.email, body.code, body.new_password)
        else:
            client = client_of(request)
            account_id, tokens = await accounts.change_password(
                body.email, body.password or "", body.new_password, client
            )
        return respond(request, {"account_id": account_id, "session": tokens})

    return [send_code, set_password]


def _session_handlers(accounts: Accounts, sessions: Sessions, client_of: ClientOf) -> list[HTTPRouteHandler]:
    @post(
        "/session",
        **with_body(
            "SignIn",
            "Begin a session by a password, or have its next tokens by a refresh token.",
            SignIn,
            Tokens,
            201,
            _BY_PASSWORD,
        ),
    )
    async def sign_in(request: AnyRequest) -> Response[Any]:
        body = await form(request, SignIn)
        if body.refresh_token is not None and body.email is None and body.password is None:
            return respond(request, await sessions.refresh(body.refresh_token), 201)
        if body.email is None or body.password is None or body.refresh_token is not None:
            raise InvalidError("email", "must be given with a password, or else a refresh token alone")
        return respond(request, await accounts.sign_in(body.email, body.password, client_of(request)), 201)

    @delete("/session", status_code=200, **with_body("SignOut", "End a session.", SignOut, Nothing, 200, ()))
    async def sign_out(request: AnyRequest) -> Response[Any]:
        body = await form(request, SignOut)
        await sessions.end(body.refresh_token)
        return respond(request, {})

    return [sign_in, sign_out]


def _key_handlers(keyring: Keyring, external: ExternalSignIn, issuer: str) -> list[HTTPRouteHandler]:
    cached = {"Cache-Control": f"public, max-age={_KEYS_SECONDS}"}

    @get("/.well-known/jwks.json", **page("Keys", "The keys of the tokens."))
    async def jwks() -> Response[dict[str, Any]]:
        return Response(keyring.key_set(), headers=cached)

    @get(
        "/.well-known/openid-configuration",
        **page("OpenIdConfiguration", "Where the keys of the tokens are, and by which providers one may sign in."),
    )
    async def configuration() -> Response[dict[str, Any]]:
        found = {
            "issuer": issuer,
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "token_endpoint": f"{issuer}/session",
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "response_types_supported": ["none"],
            "sign_in_providers": [{"name": each.name, "title": each.title} for each in external.providers.values()],
        }
        return Response(found, headers=cached)

    return [jwks, configuration]


def _process_handlers(readiness: Readiness, registry: CollectorRegistry) -> list[HTTPRouteHandler]:
    @get(HEALTH_LIVE)
    async def live(request: AnyRequest) -> Response[Any]:
        return respond(request, {})

    @get(HEALTH_READY)
    async def ready(request: AnyRequest) -> Response[Any]:
        needs = readiness.needs()
        if is_ready(needs):
            return respond(request, needs)
        return respond(request, needs, 503, {"Retry-After": str(RETRY_AFTER_SECONDS)})

    @get(METRICS)
    async def metrics() -> Response[bytes]:
        return Response(metrics_page(registry), media_type=CONTENT_TYPE)

    return [live, ready, metrics]
