"""The endpoint of a command: a row of `features`, from which its route, its form and its documentation follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Response
from litestar.di import NamedDependency
from litestar.enums import HttpMethod
from litestar.handlers import HTTPRouteHandler

from cheeper_contracts.http.responses import Answer, Meta
from cheeper_contracts.http.routes import Route
from cheeper_contracts.kafka.envelope import Envelope
from cheeper_contracts.messages import Command
from cheeper_runtime.readiness.checks import in_time
from write_api.bus.bus import now_in_microseconds
from write_api.bus.dispatcher import Dispatcher
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import made_for
from write_api.bus.outcome import Outcome
from write_api.domain.errors import Refusal
from write_api.http import openapi
from write_api.http.context import AnyRequest, context_of
from write_api.http.errors import RefusedError
from write_api.http.forms import Method, form_of, read

SOURCE: Final = "/write-api/http"
RESPONSE_SECONDS: Final = 6.0
"""After this time a client learns that the outcome is unknown."""


class Endpoint(msgspec.Struct, frozen=True):
    """The endpoint of a command, whose fields are those of the request.

    `data` names the fields that the response repeats. `new_id` names the field that gets a new id if the client leaves
    it out. `check` raises a Refusal that concerns several fields, before the command is accepted. `refusals` has all
    that the domain may raise about a command whose fields keep their rules; the API document has them. `creates` is the
    route of what the command creates, whose parameters are fields of the command.
    """

    method: Method
    route: Route
    data: tuple[str, ...]
    new_id: str | None = None
    check: Callable[[Any], None] | None = None
    refusals: tuple[type[Refusal], ...] = ()
    creates: Route | None = None


def route_handler(command_type: type[Command], endpoint: Endpoint) -> HTTPRouteHandler:
    """Return Litestar's handler of the endpoint."""
    form = form_of(command_type, endpoint.method, endpoint.route, endpoint.new_id)
    data_type = openapi.data_type(command_type, endpoint.data)

    async def take(request: AnyRequest, dispatcher: NamedDependency[Dispatcher]) -> Response[Any]:
        context = context_of(request.scope)  # all of this before the body is read
        if context.limited is not None:
            await context.limited.take(endpoint.route.command_cost, endpoint.route.command_limit)
        context.required_caller()
        fields = await read(request, form)
        if endpoint.new_id is not None and fields.get(endpoint.new_id) is None:
            fields[endpoint.new_id] = made_for(context_of(request.scope).message_id, endpoint.new_id)
        command = command_type(**fields)
        if endpoint.check is not None:
            endpoint.check(command)
        outcome = await _dispatch(request, dispatcher, command)
        return Response(
            Answer(
                data=data_type(**{name: fields[name] for name in endpoint.data}),
                meta=Meta(message_id=context_of(request.scope).message_id),
            ),
            status_code=_status(outcome, endpoint.method),
            headers={} if endpoint.creates is None else {openapi.LOCATION: endpoint.creates.path.format_map(fields)},
        )

    return HTTPRouteHandler(
        endpoint.route.path.replace("}", ":str}"),
        http_method=HttpMethod(endpoint.method),
        status_code=openapi.status_of_done(endpoint.method),
        operation_id=command_type.__name__,
        summary=openapi.first_sentence(command_type),
        tags=["commands"],
        operation_class=openapi.operation(form, creates=endpoint.creates is not None),
        responses=openapi.responses(data_type, endpoint.method, endpoint.refusals),
    )(take)


async def _dispatch(request: AnyRequest, dispatcher: Dispatcher, command: Command) -> Outcome:
    """Return the outcome. Raise RefusedError, UnavailableError or CommandTooLargeError."""
    context = context_of(request.scope)
    envelope = Envelope(
        message_id=context.message_id,
        type=command.TYPE,
        source=SOURCE,
        time=now_in_microseconds(),
        key=command.key,
        correlation_id=context.message_id,
        traceparent=context.traceparent,
        actor=context.caller,
    )
    dispatched = dispatcher.dispatch(command, envelope, repeatable=context.repeatable)
    try:
        outcome = await in_time(dispatched, RESPONSE_SECONDS)
    except TimeoutError:
        raise UnavailableError(f"no outcome within {RESPONSE_SECONDS:g} s") from None
    if outcome.code is not None and not outcome.accepted:
        raise RefusedError(outcome.code, outcome.message or "")
    return outcome


def _status(outcome: Outcome, method: Method) -> int:
    if outcome.accepted:
        return 202
    return openapi.status_of_done(method) if outcome.changed else 200
