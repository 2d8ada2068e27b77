"""From a command to its answer, the same way for every resource."""

from __future__ import annotations

from typing import Final, TypeVar

from litestar import Response

from cheeper_contracts.answers import Answer, Meta
from cheeper_contracts.envelope import Envelope
from cheeper_contracts.messages import Command
from write_api.bus.bus import now_in_microseconds
from write_api.bus.dispatcher import Dispatcher
from write_api.bus.errors import UnavailableError
from write_api.bus.ids import made_for
from write_api.bus.outcome import Outcome
from write_api.http.context import AnyRequest, context_of
from write_api.http.endpoint import status_of_done
from write_api.http.errors import RefusedError
from write_api.http.in_time import in_time

SOURCE: Final = "/write-api/http"
ANSWER_SECONDS: Final = 6.0
"""After this time a client is told that the outcome is unknown."""

D = TypeVar("D")


def identify(request: AnyRequest, given: str | None, field: str) -> str:
    """The id that the client gave, in the form that ids have here, or else the one that is made for the command."""
    return made_for(context_of(request.scope).message_id, field) if given is None else given.lower()


async def answer(request: AnyRequest, dispatcher: Dispatcher, command: Command, data: D) -> Response[Answer[D]]:
    """Give the command to the dispatcher and tell the client what became of it: 201 where something was made, 200 where
    something was changed or all was so already, 202 where it is accepted. Raises RefusedError, UnavailableError or
    CommandTooLargeError.
    """
    context = context_of(request.scope)
    envelope = Envelope(
        message_id=context.message_id,
        type=command.TYPE,
        source=SOURCE,
        time=now_in_microseconds(),
        key=command.key,
        correlation_id=context.message_id,
        traceparent=context.traceparent,
    )
    dispatched = dispatcher.dispatch(command, envelope, repeatable=context.repeatable)
    try:
        outcome = await in_time(dispatched, ANSWER_SECONDS)
    except TimeoutError:
        raise UnavailableError(f"no outcome within {ANSWER_SECONDS:g} s") from None
    if outcome.code is not None and not outcome.accepted:
        raise RefusedError(outcome.code, outcome.message or "")
    return Response(
        Answer(data=data, meta=Meta(message_id=context.message_id)), status_code=_status(outcome, request.method)
    )


def _status(outcome: Outcome, method: str) -> int:
    if outcome.accepted:
        return 202
    return status_of_done(method) if outcome.changed else 200
