from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.answer_cheep import AnswerCheep
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.cheep import ANSWER_RULES
from write_api.http.answering import answer, identify
from write_api.http.context import AnyRequest
from write_api.http.endpoint import endpoint
from write_api.http.fields import Id, Message
from write_api.http.forms import Form


class AnswerCheepForm(Form, frozen=True, kw_only=True):
    """Who answers which cheep with what; `cheep_id` is the answer's own."""

    in_reply_to: Id
    cheep_id: Id | None = None
    author_id: Id
    message: Message

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return ANSWER_RULES


class AnswerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Which cheep answers which."""

    cheep_id: str
    in_reply_to: str


@endpoint("POST", routes.ANSWER, AnswerCheepForm, AnswerAnswer)
async def take_answer_cheep(
    form: NamedDependency[AnswerCheepForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[AnswerAnswer]]:
    """Post a cheep in answer to another one."""
    ids = {"cheep_id": identify(request, form.cheep_id, "cheep_id"), "in_reply_to": form.in_reply_to.lower()}
    command = AnswerCheep(**ids, author_id=form.author_id.lower(), message=form.message)
    return await answer(request, dispatcher, command, AnswerAnswer(**ids))
