from __future__ import annotations

from collections.abc import Mapping

from litestar import Response
from litestar.di import NamedDependency

from cheeper_contracts import routes
from cheeper_contracts.answers import Answer
from cheeper_contracts.commands.update_cheep import UpdateCheep
from write_api.bus.dispatcher import Dispatcher
from write_api.domain import values
from write_api.domain.cheep import POST_RULES
from write_api.http.answering import answer
from write_api.http.context import AnyRequest
from write_api.http.data import CheepAnswer
from write_api.http.endpoint import endpoint
from write_api.http.fields import Id, Message
from write_api.http.forms import Form


class UpdateCheepForm(Form, frozen=True, kw_only=True):
    """Who says what instead."""

    cheep_id: Id
    author_id: Id
    message: Message

    @classmethod
    def rules(cls) -> Mapping[str, values.Rule]:
        """Those of the domain."""
        return POST_RULES


@endpoint("PATCH", routes.CHEEP, UpdateCheepForm, CheepAnswer)
async def take_update_cheep(
    form: NamedDependency[UpdateCheepForm], request: AnyRequest, dispatcher: NamedDependency[Dispatcher]
) -> Response[Answer[CheepAnswer]]:
    """Change the text of a cheep."""
    command = UpdateCheep(cheep_id=form.cheep_id.lower(), author_id=form.author_id.lower(), message=form.message)
    return await answer(request, dispatcher, command, CheepAnswer(cheep_id=command.cheep_id))
