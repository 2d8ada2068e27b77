"""The handlers of sign-ins by external providers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Response, post, put
from litestar.handlers import HTTPRouteHandler

from identity.domain.sessions import Tokens
from identity.external.sign_in import Begun, ExternalSignIn, Returned
from identity.http.forms import ProviderChoice, ProviderResponse, form
from identity.http.openapi import with_body
from identity.http.problems import AnyRequest, respond


def external_handlers(external: ExternalSignIn, client_of: Callable[[AnyRequest], str]) -> list[HTTPRouteHandler]:
    """Return the handlers of `/session/external`."""

    @post(
        "/session/external",
        **with_body(
            "BeginExternalSignIn",
            "Begin a sign-in by a provider: the browser goes to the URL of the response.",
            ProviderChoice,
            Begun,
            201,
            ("too_many_attempts", "overloaded"),
        ),
    )
    async def begin(request: AnyRequest) -> Response[Any]:
        body = await form(request, ProviderChoice)
        return respond(request, await external.begin(body.provider, client_of(request)), 201)

    @put(
        "/session/external",
        status_code=201,
        **with_body(
            "CompleteExternalSignIn",
            "Begin a session by what the provider has sent the browser back with.",
            ProviderResponse,
            Tokens,
            201,
            ("wrong_credentials", "overloaded"),
        ),
    )
    async def complete(request: AnyRequest) -> Response[Any]:
        body = await form(request, ProviderResponse)
        returned = Returned(secret=body.secret, state=body.state, code=body.code, iss=body.iss)
        return respond(request, await external.complete(returned), 201)

    return [begin, complete]
